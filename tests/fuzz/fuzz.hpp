#pragma once
// What fuzz targets share. A target is one file `NAME.fuzz.cpp` with a function `LLVMFuzzerTestOneInput`: it
// takes any bytes, gives them to code that strangers can reach, and checks with `FUZZ_CHECK` what has to hold
// whatever the bytes are. libFuzzer calls it (scripts/fuzz), and so does `driver.cpp` (ctest). It must be a
// function of the bytes alone, so that every finding can be repeated.

#include <cstddef>
#include <cstdint>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace cafmcp::fuzz {

/// Says what is broken, with the bytes it is broken for, and aborts.
[[noreturn]] void broken(const char* expression, const char* file, int line, std::string_view about);

/// The input as text.
inline std::string_view text_of(const std::uint8_t* data, std::size_t size) noexcept {
  return {reinterpret_cast<const char*>(data), size};
}

/// FNV-1a: for decisions that must depend on the input alone.
inline std::uint64_t hash_of(std::string_view bytes) noexcept {
  std::uint64_t hash = 14695981039346656037ULL;
  for (const char c : bytes)
    hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
  return hash;
}

}  // namespace cafmcp::fuzz

/// An invariant; `about` are the bytes to show when it is broken.
#define FUZZ_CHECK(condition, about) \
  static_cast<void>((condition) || (::cafmcp::fuzz::broken(#condition, __FILE__, __LINE__, about), false))
