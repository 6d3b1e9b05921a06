#pragma once
// Records and operations as bytes, for disk and wire: a version, how the body is packed, the body in
// length-prefixed parts (`fields.hpp`), and a CRC-32 of all of it. What was cut short, changed, or written by
// a newer version is an error that says so, never a wrong value. Bodies over 1 KiB are compressed with zstd
// where that helps; they unpack to `max_encoded_bytes` at most, whatever they claim. Pure functions:
// thread-safe.

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "persistence/operation.hpp"
#include "persistence/record.hpp"

namespace cafmcp::persistence {

/// The version that is written. Older ones are read, newer ones refused.
inline constexpr unsigned char codec_version = 1;

/// The largest body, unpacked. A record whose `bytes_of` is not larger always fits.
inline constexpr std::size_t max_encoded_bytes = std::size_t{64} << 20;

/// Bodies of at most this size are not compressed.
inline constexpr std::size_t plain_bytes = 1024;

/// Error `overloaded`: larger than `max_encoded_bytes`.
result<std::string> encode(const session_record& record);

/// Error `invalid`: no record that this version can read; the message says why.
result<session_record> decode(std::string_view bytes);

/// The same for operations of one session, at least one.
result<std::string> encode_operations(std::span<const operation> operations);
result<std::vector<operation>> decode_operations(std::string_view bytes);

}  // namespace cafmcp::persistence
