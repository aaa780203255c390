-- The record of a lease, for scripts that read or change one: 'uid attempt worker failures until name'.
--
--   uid        the schedule's, '-' for a run without one
--   worker     '-' in a queue, otherwise a mark and the worker's name as one word; the marks:
--              '+' it has the message, '@' its history says so, '=' and the message is acknowledged before the end
--   failures   how many in a row pause the schedule (0: none)
--   until      when the message expires (0: never), and after a ';' what the message says, escaped
--   name       the schedule's name, or the job's of a run without schedule; the last part, because it is the only
--              one with spaces in it
--
-- The same in Python: `scheduler.runs.lease_record`. One golden file holds both.

-- The lease in a record; nil where it is none.
local function decode_lease(record)
  local uid, attempt, worker, failures, till, name = string.match(record, '^(%S+) (%S+) (%S+) (%S+) (%S+) (.*)$')
  return uid and {uid = uid, attempt = attempt, worker = worker, failures = failures, till = till, name = name}
end

local function encode_lease(lease)
  return table.concat({lease.uid, lease.attempt, lease.worker, lease.failures, lease.till, lease.name}, ' ')
end

-- Has a worker the run?
local function is_held(lease)
  return lease.worker ~= '-'
end

-- Has a worker the run, and does the run's history say so?
local function is_received(lease)
  return is_held(lease) and string.sub(lease.worker, 1, 1) ~= '+'
end

-- The name in a worker's word, without its mark.
local function worker_name(word)
  return string.sub(word, 2)
end
