-- The run of a message, from its text as kombu stores it.
--
-- The first "id" with quotes around it is the header's: the body before it is base64, and texts in headers have their
-- quotes escaped. A message of another form is decoded whole; one that is not JSON has no run ('').

local function run_of(text)
  local run = string.match(text, '"id"%s*:%s*"([^"]+)"')
  if run then
    return run
  end
  local readable, message = pcall(cjson.decode, text)
  message = readable and type(message) == 'table' and (message[1] or message) or {}
  local headers = type(message) == 'table' and message.headers
  local properties = type(message) == 'table' and message.properties
  return type(headers) == 'table' and type(headers.id) == 'string' and headers.id
    or type(properties) == 'table' and type(properties.correlation_id) == 'string' and properties.correlation_id or ''
end
