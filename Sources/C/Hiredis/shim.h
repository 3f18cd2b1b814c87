#pragma once
/* Only the codec: the replies are read by read.h, the commands are written by hiredis.h. */
#include <hiredis/read.h>
#include <hiredis/hiredis.h>
