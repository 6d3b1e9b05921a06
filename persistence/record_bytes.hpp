#pragma once
// How much memory a record takes, about, and by how much an operation changes that: what stores bound
// themselves with. The figures are those of glibc and libstdc++ on 64 bits; small strings live in their owner
// and cost nothing. Pure functions.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "persistence/record.hpp"

namespace cafmcp::persistence {

/// What a string's characters take on the heap.
constexpr std::size_t heap_bytes(std::size_t size) noexcept {
  return size < 16 ? 0 : (size + 1 + 8 + 15) / 16 * 16;
}

/// What a key of the user's state and its value take.
std::uint64_t bytes_of_pair(std::size_t key, std::size_t value) noexcept;

/// What an entry of the outbound log takes.
std::uint64_t bytes_of_entry(std::size_t stream, std::size_t message) noexcept;

/// What the protocol's state takes beside the record that holds it.
std::uint64_t bytes_of(const mcp::session_state& state) noexcept;

/// By how much `record` will grow (or shrink) when `op` is applied to it: the difference of `bytes_of`. Any
/// number for an operation that will be refused.
std::int64_t growth_of(const session_record& record, const operation& op) noexcept;

}  // namespace cafmcp::persistence
