#pragma once
// Decodes what `writer` has encoded, from bytes that may be anything. It never throws and never reads past
// the end: on the first thing that can't be, it fails, and the message is refused as a whole. Counts are
// checked against the bytes that are left before anything is allocated, so a message of n bytes takes O(n)
// memory; structs nest 16 deep at most. Not thread-safe.

#include <cstdint>
#include <cstring>
#include <string_view>
#include <utility>

#include "cluster/wire/traits.hpp"

namespace cafmcp::wire {

/// The inspector.
class reader {
 public:
  using result_type = void;
  static constexpr bool reads_state = false;
  static constexpr bool writes_state = true;

  /// Structs inside structs.
  static constexpr int max_depth = 16;

  /// Reads from `in`, which must outlive it.
  explicit reader(std::string_view in) noexcept : at_(in.data()), end_(in.data() + in.size()) {}

  /// Reads the fields of a message; false if the bytes are none. What follows them is a newer writer's.
  template <class T>
  bool message(T& x) {
    inspect(*this, x);
    return ok_;
  }

  template <class... Ts>
  void operator()(Ts&&... fields) {
    (get_field(fields), ...);
  }

  bool ok() const noexcept { return ok_; }

  /// What hasn't been read.
  std::string_view rest() const noexcept { return {at_, left()}; }

  /// A number; 0 if there is none, and `ok()` is false from then on.
  std::uint64_t varint() noexcept {
    std::uint64_t x = 0;
    for (unsigned shift = 0; shift < 64 && at_ != end_; shift += 7) {
      const auto byte = static_cast<std::uint8_t>(*at_++);
      if (shift == 63 && byte > 1)
        break;
      x |= static_cast<std::uint64_t>(byte & 0x7fU) << shift;
      if ((byte & 0x80U) == 0)
        return x;
    }
    fail();
    return 0;
  }

 private:
  std::size_t left() const noexcept { return static_cast<std::size_t>(end_ - at_); }

  void fail() noexcept {
    ok_ = false;
    at_ = end_;
  }

  // Of things that take a byte each at least.
  std::size_t count() noexcept {
    const auto n = varint();
    if (n <= left())
      return static_cast<std::size_t>(n);
    fail();
    return 0;
  }

  // A field of a message or struct: if the bytes end before it, its writer didn't know it.
  template <class T>
  void get_field(T&& x) {
    if constexpr (!is_annotation<T>)
      if (ok_ && at_ != end_)
        get(x);
  }

  // Something that must be there.
  template <class T>
  void get_element(T& x) {
    if (at_ == end_)
      fail();
    else
      get(x);
  }

  template <class T>
  void get(T& x) {
    if constexpr (std::is_same_v<T, bool>)
      get_bool(x);
    else if constexpr (std::is_enum_v<T>)
      get_enum(x);
    else if constexpr (std::is_floating_point_v<T>)
      get_bits(x);
    else if constexpr (std::is_integral_v<T>)
      get_integer(x);
    else if constexpr (is_duration<T>)
      get_duration(x);
    else if constexpr (is_optional<T>)
      get_optional(x);
    else if constexpr (is_variant<T>)
      get_variant(x, std::make_index_sequence<std::variant_size_v<T>>{});
    else if constexpr (map_like<T>)
      get_map(x);
    else if constexpr (sequence<T>)
      get_sequence(x);
    else
      get_struct(x);
  }

  void get_bool(bool& x) noexcept {
    const auto n = varint();
    if (n > 1)
      fail();
    x = n == 1;
  }

  template <class T>
  void get_enum(T& x) {
    std::underlying_type_t<T> value{};
    get(value);
    x = static_cast<T>(value);
  }

  template <class T>
  void get_bits(T& x) noexcept {
    if (left() < sizeof(T))
      return fail();
    std::memcpy(&x, at_, sizeof(T));
    at_ += sizeof(T);
  }

  template <class T>
  void get_integer(T& x) noexcept {
    const auto n = varint();
    if constexpr (std::is_signed_v<T>) {
      const auto wide = static_cast<std::int64_t>(n >> 1U ^ (0 - (n & 1U)));
      x = static_cast<T>(wide);
      if (x != wide)
        fail();
    } else {
      x = static_cast<T>(n);
      if (x != n)
        fail();
    }
  }

  template <class T>
  void get_duration(T& x) noexcept {
    std::int64_t n = 0;
    get_integer(n);
    x = T{static_cast<typename T::rep>(n)};
  }

  template <class T>
  void get_optional(T& x) {
    bool there = false;
    get_bool(there);
    x.reset();
    if (ok_ && there)
      get_element(x.emplace());
  }

  template <class T, std::size_t... I>
  void get_variant(T& x, std::index_sequence<I...>) {
    const auto n = varint();
    const bool known = ok_ && ((n == I && (get_element(x.template emplace<I>()), true)) || ...);
    if (!known)
      fail();
  }

  template <class T>
  void get_map(T& x) {
    x.clear();
    for (auto n = count(); n > 0 && ok_; --n) {
      typename T::key_type key{};
      typename T::mapped_type value{};
      get_element(key);
      get_element(value);
      if (ok_)
        x.emplace(std::move(key), std::move(value));
    }
  }

  template <class T>
  void get_sequence(T& x) {
    const auto n = count();
    x.clear();
    if constexpr (is_byte<typename T::value_type>) {
      const auto* first = reinterpret_cast<const typename T::value_type*>(at_);
      x.assign(first, first + n);
      at_ += n;
    } else {
      for (auto i = n; i > 0 && ok_; --i) {
        typename T::value_type value{};
        get_element(value);
        if (ok_)
          x.push_back(std::move(value));
      }
    }
  }

  template <class T>
  void get_struct(T& x) {
    const auto n = count();
    if (!ok_ || depth_ == max_depth)
      return fail();
    const auto* outer = end_;
    end_ = at_ + n;
    ++depth_;
    inspect(*this, x);
    --depth_;
    if (!ok_)
      return;
    at_ = end_;  // skips what a newer writer has appended
    end_ = outer;
  }

  const char* at_;
  const char* end_;
  int depth_ = 0;
  bool ok_ = true;
};

}  // namespace cafmcp::wire
