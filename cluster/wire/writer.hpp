#pragma once
// Encodes messages between nodes, as an inspector: a type says what its fields are in an `inspect` function,
// once for both directions.
//
// A message is its fields, one after the other, and nothing else. Integers are varints (LEB128; signed ones
// in zigzag), so that a field may be widened later; floating-point numbers are their bits, so infinities and
// NaN pass; texts and containers are a count and their elements; an optional is a byte and its value; a
// variant is the number of its alternative and its value; a struct inside a message is its length and its
// fields. **Fields are only ever appended**, to messages and to structs: a reader that is older skips what it
// doesn't know, one that is newer leaves the fields that are missing at their defaults. A new meaning is a
// new message. Not thread-safe; never fails.

#include <bit>
#include <cstdint>
#include <string>

#include "cluster/wire/traits.hpp"

namespace cafmcp::wire {

static_assert(std::endian::native == std::endian::little, "floating-point numbers travel in little endian");

/// Appends `x` in 1 to 10 bytes.
inline void put_varint(std::string& out, std::uint64_t x) {
  for (; x >= 0x80; x >>= 7U)
    out.push_back(static_cast<char>(x | 0x80U));
  out.push_back(static_cast<char>(x));
}

/// The inspector.
class writer {
 public:
  using result_type = void;
  static constexpr bool reads_state = true;
  static constexpr bool writes_state = false;

  /// Appends to `out`, which must outlive it.
  explicit writer(std::string& out) noexcept : out_(out) {}

  /// Appends the fields of a message.
  template <class T>
  void message(const T& x) {
    inspect(*this, const_cast<T&>(x));  // one function for both directions
  }

  template <class... Ts>
  void operator()(Ts&&... fields) {
    (put(fields), ...);
  }

 private:
  template <class T>
  void put(const T& x) {
    if constexpr (is_annotation<T>)
      return;
    else if constexpr (std::is_same_v<T, bool>)
      out_.push_back(x ? 1 : 0);
    else if constexpr (std::is_enum_v<T>)
      put(static_cast<std::underlying_type_t<T>>(x));
    else if constexpr (std::is_floating_point_v<T>)
      put_bits(x);
    else if constexpr (std::is_integral_v<T>)
      put_integer(x);
    else if constexpr (is_duration<T>)
      put(static_cast<std::int64_t>(x.count()));
    else if constexpr (is_optional<T>)
      put_optional(x);
    else if constexpr (is_variant<T>)
      put_variant(x);
    else if constexpr (map_like<T>)
      put_map(x);
    else if constexpr (sequence<T>)
      put_sequence(x);
    else
      put_struct(x);
  }

  template <class T>
  void put_bits(T x) {
    static_assert(sizeof(T) <= 8, "no long double between nodes");
    out_.append(reinterpret_cast<const char*>(&x), sizeof(x));
  }

  template <class T>
  void put_integer(T x) {
    if constexpr (std::is_signed_v<T>) {
      const auto wide = static_cast<std::int64_t>(x);
      put_varint(out_, static_cast<std::uint64_t>(wide) << 1U ^ static_cast<std::uint64_t>(wide >> 63U));
    } else {
      put_varint(out_, x);
    }
  }

  template <class T>
  void put_optional(const T& x) {
    put(x.has_value());
    if (x)
      put(*x);
  }

  template <class T>
  void put_variant(const T& x) {
    put_varint(out_, x.index());
    std::visit([this](const auto& value) { this->put(value); }, x);
  }

  template <class T>
  void put_map(const T& x) {
    put_varint(out_, x.size());
    for (const auto& [key, value] : x) {
      put(key);
      put(value);
    }
  }

  template <class T>
  void put_sequence(const T& x) {
    put_varint(out_, x.size());
    if constexpr (is_byte<typename T::value_type>)
      out_.append(reinterpret_cast<const char*>(x.data()), x.size());
    else
      for (const typename T::value_type& value : x)
        put(value);
  }

  // One byte is kept free for the length; the rare struct of 128 bytes or more makes room.
  template <class T>
  void put_struct(const T& x) {
    const auto at = out_.size();
    out_.push_back(0);
    message(x);
    const auto length = out_.size() - at - 1;
    if (length < 0x80) {
      out_[at] = static_cast<char>(length);
      return;
    }
    std::string prefix;
    put_varint(prefix, length);
    out_.replace(at, 1, prefix);
  }

  std::string& out_;
};

}  // namespace cafmcp::wire
