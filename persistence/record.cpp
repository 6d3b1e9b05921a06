#include "persistence/record.hpp"

#include "persistence/fields.hpp"

namespace cafmcp::persistence {

namespace {

error senseless(const operation& op) {
  return fail(errc::invalid, "operation " + std::to_string(op.seq) + " of kind " +
                                 std::to_string(static_cast<unsigned>(op.kind)) +
                                 " has bytes that make no sense");
}

result<void> create(session_record& r, const operation& op) {
  const auto parts = fields_in<2>(op.bytes);
  const auto now = parts ? number_in((*parts)[1]) : std::nullopt;
  if (!now)
    return senseless(op);
  r.id = op.session;
  r.principal = (*parts)[0];
  r.created_ms = r.last_active_ms = static_cast<std::int64_t>(*now);
  return {};
}

result<void> protocol(session_record& r, const operation& op) {
  const auto parts = fields_in<2>(op.bytes);
  const auto kind = parts ? number_in((*parts)[0]) : std::nullopt;
  if (!kind || *kind > 255)
    return senseless(op);
  return mcp::apply(r.protocol, {static_cast<mcp::change_kind>(*kind), std::string{(*parts)[1]}});
}

result<void> put(session_record& r, const operation& op) {
  const auto parts = fields_in<2>(op.bytes);
  if (!parts)
    return senseless(op);
  const auto [key, value] = *parts;
  if (key.size() > max_key_bytes)
    return fail(errc::overloaded,
                "a key of the session's state may have " + std::to_string(max_key_bytes) + " bytes");
  if (value.size() > max_value_bytes)
    return fail(errc::overloaded,
                "a value of the session's state may have " + std::to_string(max_value_bytes) + " bytes");
  const auto place = r.user.find(key);
  if (place == r.user.end() && r.user.size() >= max_user_keys)
    return fail(errc::overloaded, "a session's state may have " + std::to_string(max_user_keys) + " keys");
  if (place == r.user.end())
    r.user.emplace(key, value);
  else
    place->second = value;
  return {};
}

result<void> remove(session_record& r, const operation& op) {
  const auto parts = fields_in<1>(op.bytes);
  if (!parts)
    return senseless(op);
  if (const auto place = r.user.find((*parts)[0]); place != r.user.end())
    r.user.erase(place);
  return {};
}

result<void> outbound(session_record& r, const operation& op) {
  const auto parts = fields_in<2>(op.bytes);
  if (!parts)
    return senseless(op);
  r.outbound.push_back({++r.last_outbound, std::string{(*parts)[0]}, std::string{(*parts)[1]}});
  return {};
}

result<void> trim(session_record& r, const operation& op) {
  const auto parts = fields_in<1>(op.bytes);
  const auto up_to = parts ? number_in((*parts)[0]) : std::nullopt;
  if (!up_to)
    return senseless(op);
  while (!r.outbound.empty() && r.outbound.front().number <= *up_to)
    r.outbound.pop_front();
  return {};
}

result<void> touch(session_record& r, const operation& op) {
  const auto parts = fields_in<1>(op.bytes);
  const auto now = parts ? number_in((*parts)[0]) : std::nullopt;
  if (!now)
    return senseless(op);
  r.last_active_ms = std::max(r.last_active_ms, static_cast<std::int64_t>(*now));
  return {};
}

result<void> end(session_record& r, const operation& op) {
  const auto parts = fields_in<2>(op.bytes);
  const auto now = parts ? number_in((*parts)[1]) : std::nullopt;
  if (!now)
    return senseless(op);
  // What remains is the tombstone: that the session was, whose it was, and when it ended.
  r.ended = true;
  r.last_active_ms = static_cast<std::int64_t>(*now);
  r.protocol = {};
  r.user.clear();
  r.outbound.clear();
  return {};
}

result<void> carry_out(session_record& r, const operation& op) {
  switch (op.kind) {
    case op_kind::create:
      return create(r, op);
    case op_kind::protocol:
      return protocol(r, op);
    case op_kind::put:
      return put(r, op);
    case op_kind::remove:
      return remove(r, op);
    case op_kind::outbound:
      return outbound(r, op);
    case op_kind::trim:
      return trim(r, op);
    case op_kind::touch:
      return touch(r, op);
    case op_kind::end:
      return end(r, op);
  }
  return fail(errc::invalid, "operation of unknown kind " + std::to_string(static_cast<unsigned>(op.kind)) +
                                 ": was it written by a newer version?");
}

}  // namespace

result<void> apply(session_record& record, const operation& op) {
  const auto number = [&] { return "operation " + std::to_string(op.seq); };
  if (op.seq != record.seq + 1)
    return fail(errc::conflict, number() + " does not follow " + std::to_string(record.seq));
  if (op.epoch < record.epoch)
    return fail(errc::conflict, number() + " has epoch " + std::to_string(op.epoch) + ", older than " +
                                    std::to_string(record.epoch));
  if (record.ended)
    return fail(errc::conflict, number() + " is for a session that has ended");
  if ((op.kind == op_kind::create) != (record.seq == 0))
    return fail(errc::conflict, number() + (record.seq == 0 ? " is for a session that does not exist"
                                                            : " creates a session that exists"));
  if (record.seq != 0 && op.session != record.id)
    return fail(errc::conflict, number() + " is for another session");
  if (auto done = carry_out(record, op); !done)
    return done;
  record.epoch = op.epoch;
  record.seq = op.seq;
  return {};
}

}  // namespace cafmcp::persistence
