-- Sends prepared requests in a prepared order and prints the figures as one line of JSON.
-- Arguments: a file of requests, each after a line with its length, and a file of their numbers in order.

local requests, order, at = {}, {}, 0

function init(arguments)
  local file = assert(io.open(arguments[1], "rb"))
  local length = file:read("*l")
  while length do
    requests[#requests + 1] = file:read(tonumber(length))
    length = file:read("*l")
  end
  file:close()
  for line in io.lines(arguments[2]) do
    order[#order + 1] = requests[tonumber(line)]
  end
end

function request()
  at = at % #order + 1
  return order[at]
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    'figures {"requests":%d,"microseconds":%d,"bytes":%d,"p50":%d,"p99":%d,"mean":%.3f,"failed":%d,"refused":%d}\n',
    summary.requests, summary.duration, summary.bytes, latency:percentile(50), latency:percentile(99), latency.mean,
    errors.connect + errors.read + errors.write + errors.timeout, errors.status))
end
