-- An entry's hash, for scripts that read one, write one, or must not write over what somebody else has written.
--
-- In arguments an entry is four values from `first` on: which of its fields are there, '1' or '0' for each, then
-- definition, meta and our field; a text that is not there is ''. So an empty text is not an absent one. The same in
-- Python: `scheduler.storage.entry_fields`.

-- The three fields; `call` is redis.call, or redis.pcall where the key may be another kind of key.
local function read_entry(key, call)
  return call('HMGET', key, 'definition', 'meta', 'beatdesk')
end

-- Is one field (1 definition, 2 meta, 3 ours) what these arguments say?
local function is_field(fields, number, values, first)
  local value = fields[number]
  return (value or '') == values[first + number]
    and (value and true or false) == (string.sub(values[first], number, number) == '1')
end

-- Is the entry as it was read, in all its fields?
local function is_as_it_was_read(fields, values, first)
  return is_field(fields, 1, values, first) and is_field(fields, 2, values, first)
    and is_field(fields, 3, values, first)
end

-- Has the entry of these arguments a definition? One without is to be deleted.
local function has_definition(values, first)
  return string.sub(values[first], 1, 1) == '1'
end

local function write_entry(key, values, first)
  redis.call('HSET', key, 'definition', values[first + 1], 'meta', values[first + 2], 'beatdesk', values[first + 3])
end
