#pragma once
// What kinds of fields a message may have, for `writer` and `reader`. Compile-time only.

#include <caf/meta/annotation.hpp>
#include <chrono>
#include <cstddef>
#include <optional>
#include <type_traits>
#include <variant>

namespace cafmcp::wire {

template <class T>
inline constexpr bool is_optional = false;
template <class T>
inline constexpr bool is_optional<std::optional<T>> = true;

template <class T>
inline constexpr bool is_variant = false;
template <class... Ts>
inline constexpr bool is_variant<std::variant<Ts...>> = true;

template <class T>
inline constexpr bool is_duration = false;
template <class R, class P>
inline constexpr bool is_duration<std::chrono::duration<R, P>> = true;

template <class T>
concept map_like = requires {
  typename T::key_type;
  typename T::mapped_type;
};

template <class T>
concept sequence = !map_like<T> && requires(T & x) {
  typename T::value_type;
  x.begin();
  x.size();
  x.clear();
};

/// Sequences of these travel as they are.
template <class T>
inline constexpr bool is_byte = sizeof(T) == 1 && !std::is_same_v<T, bool> &&
                                (std::is_integral_v<T> || std::is_same_v<T, std::byte>);

template <class T>
inline constexpr bool is_annotation = std::is_base_of_v<caf::meta::annotation, std::remove_cvref_t<T>>;

}  // namespace cafmcp::wire
