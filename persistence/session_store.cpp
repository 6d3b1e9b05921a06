#include "persistence/session_store.hpp"

#include "persistence/fields.hpp"
#include "persistence/record_bytes.hpp"

namespace cafmcp::persistence {

namespace {

constexpr std::uint64_t tree_node_bytes = 48;  // of a std::map or std::set, without what it holds
// An index entry of a store, and what libstdc++'s deque takes while it is empty.
constexpr std::uint64_t fixed_bytes = sizeof(session_record) + 80 + 592;

std::int64_t as_signed(std::uint64_t bytes) noexcept {
  return static_cast<std::int64_t>(bytes);
}

std::uint64_t bytes_of_user(const session_record& record) noexcept {
  std::uint64_t sum = 0;
  for (const auto& [key, value] : record.user)
    sum += bytes_of_pair(key.size(), value.size());
  return sum;
}

// What the entries take that `trim` up to that number forgets.
std::uint64_t bytes_up_to(const session_record& record, std::uint64_t number) noexcept {
  std::uint64_t sum = 0;
  for (const auto& entry : record.outbound) {
    if (entry.number > number)
      break;
    sum += bytes_of_entry(entry.stream.size(), entry.bytes.size());
  }
  return sum;
}

std::int64_t growth_of_put(const session_record& record, const operation& op) noexcept {
  const auto parts = fields_in<2>(op.bytes);
  if (!parts)
    return 0;
  const auto [key, value] = *parts;
  if (const auto old = record.user.find(key); old != record.user.end())
    return as_signed(heap_bytes(value.size())) - as_signed(heap_bytes(old->second.size()));
  return as_signed(bytes_of_pair(key.size(), value.size()));
}

std::int64_t growth_of_remove(const session_record& record, const operation& op) noexcept {
  const auto parts = fields_in<1>(op.bytes);
  const auto old = parts ? record.user.find((*parts)[0]) : record.user.end();
  return old == record.user.end() ? 0 : -as_signed(bytes_of_pair(old->first.size(), old->second.size()));
}

std::int64_t growth_of_outbound(const operation& op) noexcept {
  const auto parts = fields_in<2>(op.bytes);
  return parts ? as_signed(bytes_of_entry((*parts)[0].size(), (*parts)[1].size())) : 0;
}

std::int64_t growth_of_trim(const session_record& record, const operation& op) noexcept {
  const auto parts = fields_in<1>(op.bytes);
  const auto up_to = parts ? number_in((*parts)[0]) : std::nullopt;
  return up_to ? -as_signed(bytes_up_to(record, *up_to)) : 0;
}

std::uint64_t bytes_of_subscription(std::string_view uri) noexcept {
  return tree_node_bytes + sizeof(std::string) + heap_bytes(uri.size());
}

std::int64_t growth_of_protocol(const mcp::session_state& state, const operation& op) noexcept {
  const auto parts = fields_in<2>(op.bytes);
  const auto kind = parts ? number_in((*parts)[0]) : std::nullopt;
  if (!kind || *kind > 255)
    return 0;
  const auto bytes = (*parts)[1];
  switch (static_cast<mcp::change_kind>(*kind)) {
    case mcp::change_kind::client_info:
      return as_signed(heap_bytes(bytes.size())) - as_signed(heap_bytes(state.client_info.size()));
    case mcp::change_kind::client_capabilities:
      return as_signed(heap_bytes(bytes.size())) - as_signed(heap_bytes(state.client_capabilities.size()));
    case mcp::change_kind::subscribe:
      return state.subscriptions.contains(bytes) ? 0 : as_signed(bytes_of_subscription(bytes));
    case mcp::change_kind::unsubscribe:
      return state.subscriptions.contains(bytes) ? -as_signed(bytes_of_subscription(bytes)) : 0;
    case mcp::change_kind::initialize:
    case mcp::change_kind::offered:
    case mcp::change_kind::ready:
    case mcp::change_kind::log_level:
      break;
  }
  return 0;
}

}  // namespace

std::uint64_t bytes_of_pair(std::size_t key, std::size_t value) noexcept {
  return tree_node_bytes + 2 * sizeof(std::string) + heap_bytes(key) + heap_bytes(value);
}

std::uint64_t bytes_of_entry(std::size_t stream, std::size_t message) noexcept {
  return sizeof(outbound_entry) + heap_bytes(stream) + heap_bytes(message);
}

std::uint64_t bytes_of(const mcp::session_state& state) noexcept {
  std::uint64_t sum = heap_bytes(state.client_info.size()) + heap_bytes(state.client_capabilities.size());
  for (const auto& uri : state.subscriptions)
    sum += bytes_of_subscription(uri);
  return sum;
}

std::uint64_t bytes_of(const session_record& record) noexcept {
  return fixed_bytes + heap_bytes(record.id.size()) + heap_bytes(record.principal.size()) +
         bytes_of(record.protocol) + bytes_of_user(record) + bytes_up_to(record, UINT64_MAX);
}

std::int64_t growth_of(const session_record& record, const operation& op) noexcept {
  switch (op.kind) {
    case op_kind::create: {
      const auto parts = fields_in<2>(op.bytes);
      return parts ? as_signed(fixed_bytes + heap_bytes(op.session.size()) + heap_bytes((*parts)[0].size()))
                   : 0;
    }
    case op_kind::protocol:
      return growth_of_protocol(record.protocol, op);
    case op_kind::put:
      return growth_of_put(record, op);
    case op_kind::remove:
      return growth_of_remove(record, op);
    case op_kind::outbound:
      return growth_of_outbound(op);
    case op_kind::trim:
      return growth_of_trim(record, op);
    case op_kind::touch:
      break;
    case op_kind::end:
      return -as_signed(bytes_of(record.protocol) + bytes_of_user(record) + bytes_up_to(record, UINT64_MAX));
  }
  return 0;
}

}  // namespace cafmcp::persistence
