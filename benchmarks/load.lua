-- For wrk: sends the bodies in a file, one per line, in turn; the threads, whose number is the second argument, start at
-- different ones. With a second file, the expected answer to each, it compares: that needs one connection per thread, so that
-- the last request is the one answered.
local threads = {}
local at = 0
wrong = ""

function setup(thread)
   thread:set("number", #threads)
   table.insert(threads, thread)
end

local function compare(status, _, body)
   if status == 200 and body ~= expected[at] and wrong == "" then
      wrong = at .. "\t" .. body
   end
end

function init(arguments)
   local requests = {}
   for line in io.lines(arguments[1]) do
      table.insert(requests, wrk.format("POST", "/classify", {["Content-Type"] = "application/json"}, line))
   end
   at = math.floor(number * #requests / arguments[2])
   request = function()
      at = at % #requests + 1
      return requests[at]
   end
   if arguments[3] then
      expected = {}
      for line in io.lines(arguments[3]) do
         table.insert(expected, line .. "\n")
      end
      response = compare
   end
end

-- The results as a line of JSON; then, for each difference, the number of the text and the answer.
function done(summary, latency, _)
   local errors = summary.errors
   io.write(string.format(
      '{"requests": %d, "seconds": %f, "p50": %f, "p99": %f, "refused": %d, "errors": %d}\n',
      summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
      errors.status, errors.connect + errors.read + errors.write + errors.timeout))
   for _, thread in ipairs(threads) do
      if thread:get("wrong") ~= "" then
         io.write(thread:get("wrong"))
      end
   end
end
