#pragma once
#include <libs3.h>
