-- Claim the next message of a worker's queues: out of its list, noted as unacknowledged, and its run taken, or nothing.
--
-- KEYS  1 unacknowledged messages   2 their tags by time   3 the stream of events   4 all leases   5 their records
--       6 ends without acknowledgement   7 deliveries   8 until when they are remembered   then the lists, in the order
--       in which they are taken from
-- ARGV  1 for each list '1' where its messages are acknowledged, otherwise '0'   2 the worker's name as one word ('':
--       no runs are taken)   3 seconds of a lease   4 visibility time-out   5 prefix: alive runs   6 field of an event
--       7 an event run.lost as pattern   8 this host's time, for such an event   9 most bytes of a message
--       10 bytes that are answered of a longer one
--
-- Answers 'large', the list, the beginning of a message that is too long, and its length: it is out of its list, and no
-- one has decoded it. Or 'empty'; or 'more', where there was nothing but what follows and there may be more; or 'message', its list,
-- the message, its tag where it is noted (elsewhere ''), begun and all deliveries before it of its run (-1 where it is no
-- run), and 1 where Redis knew the run;
-- each with a list of texts, 'ended run' for each message that was dropped, 'wait run' for each that waits.
-- A message whose run another worker has waits among the unacknowledged ones, until that worker's lease ends.
-- uses: lease, deliveries, take

local MOST_SET_ASIDE = 100
local time = redis.call('TIME')
local now = tonumber(time[1]) + tonumber(time[2]) / 1000000
local keys = {
  stream = KEYS[3], leases = KEYS[4], owners = KEYS[5], ended = KEYS[6], deliveries = KEYS[7],
  deliveries_until = KEYS[8], alive = ARGV[5],
}
local lost = {field = ARGV[6], pattern = ARGV[7], at = ARGV[8]}
local set_aside = {}

-- What the message says of itself; nil where it cannot be read here, and kombu has to note it.
local function read_message(text)
  local is_json, message = pcall(cjson.decode, text)
  local properties = is_json and type(message) == 'table' and message.properties
  local delivery = type(properties) == 'table' and properties.delivery_info
  if type(delivery) ~= 'table' or type(properties.delivery_tag) ~= 'string' then
    return nil
  end
  if type(delivery.exchange) ~= 'string' or type(delivery.routing_key) ~= 'string' then
    return nil
  end
  return {
    tag = properties.delivery_tag, run = ARGV[2] ~= '' and run_in(message.headers) or nil,
    route = ', ' .. cjson.encode(delivery.exchange) .. ', ' .. cjson.encode(delivery.routing_key) .. ']',
  }
end

local function note(message, text, score)
  redis.call('HSET', KEYS[1], message.tag, '[' .. text .. message.route)
  redis.call('ZADD', KEYS[2], string.format('%.6f', score), message.tag)
end

-- Note a message that is out of its list. Where that is impossible, the message goes back, and the claim fails.
local function note_or_give_back(list, message, text, score)
  local is_noted, reason = pcall(note, message, text, score)
  if not is_noted then
    redis.call('RPUSH', list, text)
    error(reason, 0)
  end
end

-- Take the run of a message that is out of its list. A message whose run cannot be taken, as where a key of its schedule
-- is of another type, is delivered as one that is no run: its worker decides.
local function take_or_deliver(run)
  local is_taken, fate, begun, all, is_known = pcall(take_run, keys, run, ARGV[2], tonumber(ARGV[3]), lost, now)
  if not is_taken then
    return 'start', -1, -1, 0
  end
  return fate, begun, all, is_known
end

for at = 9, #KEYS do
  local is_acknowledged = string.sub(ARGV[1], at - 8, at - 8) == '1'
  local text = redis.call('RPOP', KEYS[at])
  while text do
    if #text > tonumber(ARGV[9]) then
      return {'large', set_aside, KEYS[at], string.sub(text, 1, tonumber(ARGV[10])), #text}
    end
    local message = is_acknowledged and read_message(text) or nil
    if not message or not message.run then
      if message then
        note_or_give_back(KEYS[at], message, text, now)
      end
      return {'message', set_aside, KEYS[at], text, message and message.tag or '', -1, -1, 0}
    end
    local run = message.run
    local fate, begun, all, is_known = take_or_deliver(run)
    if fate == 'start' then
      note_or_give_back(KEYS[at], message, text, now)
      return {'message', set_aside, KEYS[at], text, message.tag, begun, all, is_known}
    elseif fate == 'wait' then
      note_or_give_back(KEYS[at], message, text, now - tonumber(ARGV[4]) + begun)
      redis.call('HSET', KEYS[7], waiting_field(run.id), message.tag)
      redis.call('ZADD', KEYS[8], math.floor(now) + REMEMBER_SECONDS, waiting_field(run.id))
    else
      forget_end(keys, run.id, run.retries)
    end
    set_aside[#set_aside + 1] = fate .. ' ' .. run.id
    if #set_aside >= MOST_SET_ASIDE then
      return {'more', set_aside}
    end
    text = redis.call('RPOP', KEYS[at])
  end
end
return {'empty', set_aside}
