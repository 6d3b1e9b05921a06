#include "cluster/wire/message_table.hpp"

#include "base/assert.hpp"

namespace cafmcp::wire {

void message_table::insert(const std::type_info& type, const message_type& entry) {
  CAFMCP_ASSERT(entry.number >= first_number);
  const bool new_number = by_number_.emplace(entry.number, entry).second;
  const bool new_type = by_type_.emplace(type, entry).second;
  CAFMCP_ASSERT(new_number && new_type);
  by_address_.emplace(&type, &by_type_.at(type));  // nodes of such maps stay where they are
}

const message_type* message_table::find(std::uint64_t number) const noexcept {
  const auto i = by_number_.find(number);
  return i == by_number_.end() ? nullptr : &i->second;
}

const message_type* message_table::find(const caf::type_erased_tuple& content) const noexcept {
  if (content.size() != 1)
    return nullptr;
  const auto rtti = content.type(0);
  if (rtti.second == nullptr)  // one of CAF's built-in types
    return nullptr;
  if (const auto known = by_address_.find(rtti.second); known != by_address_.end())
    return known->second;
  const auto i = by_type_.find(*rtti.second);
  return i == by_type_.end() ? nullptr : &i->second;
}

}  // namespace cafmcp::wire
