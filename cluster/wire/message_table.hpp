#pragma once
// The closed list of messages that may travel between nodes: type number ↔ C++ type. A message that travels
// is exactly one value of a listed type. Everything else is refused on both sides, by number and size, before
// anything is decoded; so nothing of CAF's own (exits, downs, links) ever comes from a peer. The table is
// built before the first link and immutable afterwards: thread-safe then.

#include <caf/allowed_unsafe_message_type.hpp>
#include <caf/make_message.hpp>
#include <caf/message.hpp>
#include <caf/type_erased_tuple.hpp>
#include <cstdint>
#include <string>
#include <string_view>
#include <typeindex>
#include <typeinfo>
#include <unordered_map>

#include "cluster/wire/reader.hpp"
#include "cluster/wire/writer.hpp"

namespace cafmcp::wire {

/// Names a type on the wire, for ever.
using type_number = std::uint32_t;

/// One type of the list.
struct message_type {
  type_number number;
  std::size_t max_bytes;  ///< of its encoding
  void (*encode)(std::string& out, const void* value);
  bool (*decode)(std::string_view in, caf::message& out);  ///< false: the bytes are no such message
};

/// The list.
class message_table {
 public:
  message_table() = default;
  message_table(message_table&&) = default;
  message_table(const message_table&) = delete;
  message_table& operator=(const message_table&) = delete;

  /// Numbers below are the link's own.
  static constexpr type_number first_number = 16;

  /// Types with more need a reason.
  static constexpr std::size_t default_max_bytes = 64 << 10;

  /// Adds `T`. A number or type that is there already is a mistake of the program and ends it.
  template <class T>
  message_table& add(type_number number, std::size_t max_bytes = default_max_bytes) {
    static_assert(caf::allowed_unsafe_message_type<T>::value,
                  "declare it with CAF_ALLOW_UNSAFE_MESSAGE_TYPE");
    insert(typeid(T), message_type{number, max_bytes, &encode<T>, &decode<T>});
    return *this;
  }

  /// The type with that number, or null.
  const message_type* find(std::uint64_t number) const noexcept;

  /// The type of a message's only value; null if it has more or fewer, or isn't in the list.
  const message_type* find(const caf::type_erased_tuple& content) const noexcept;

  std::size_t size() const noexcept { return by_number_.size(); }

 private:
  template <class T>
  static void encode(std::string& out, const void* value) {
    writer{out}.message(*static_cast<const T*>(value));
  }

  template <class T>
  static bool decode(std::string_view in, caf::message& out) {
    T value{};
    if (!reader{in}.message(value))
      return false;
    out = caf::make_message(std::move(value));
    return true;
  }

  void insert(const std::type_info& type, const message_type& entry);

  std::unordered_map<std::uint64_t, message_type> by_number_;
  std::unordered_map<std::type_index, message_type> by_type_;
  // The same by the address of the type's description, which is one in all but strange programs: a type_index
  // hashes the type's name each time.
  std::unordered_map<const std::type_info*, const message_type*> by_address_;
};

}  // namespace cafmcp::wire
