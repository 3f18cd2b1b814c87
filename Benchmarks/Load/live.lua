-- As replay.lua, with a pause before each request: traffic that the server could have much more of.
-- Arguments: those of replay.lua, and the pause in milliseconds.

dofile(debug.getinfo(1, "S").source:match("^@(.*/)") .. "replay.lua")

local pause = 0
local prepare = init

function init(arguments)
  prepare(arguments)
  pause = tonumber(arguments[3])
end

function delay()
  return pause
end
