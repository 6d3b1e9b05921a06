#pragma once
// The CRC-32 of zip and Ethernet, by zlib, which takes several bytes at a time. It is on disk: in records, in
// operations, and as the bucket of a session. A pure function.

#include <zlib.h>

#include <cstdint>
#include <string_view>

namespace cafmcp::persistence {

/// The checksum of some bytes.
inline std::uint32_t crc_of(std::string_view bytes) noexcept {
  return static_cast<std::uint32_t>(
      ::crc32_z(0, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()));
}

}  // namespace cafmcp::persistence
