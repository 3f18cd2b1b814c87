#pragma once
#include <event2/event.h>
#include <sys/eventfd.h>
