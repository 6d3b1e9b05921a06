#include "tests/fuzz/fuzz.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>

namespace cafmcp::fuzz {

namespace {

constexpr std::size_t most_shown = 2000;

std::string printable(std::string_view bytes) {
  std::string out;
  for (const char c : bytes.substr(0, most_shown)) {
    if (c >= 0x20 && c < 0x7f && c != '\\') {
      out += c;
      continue;
    }
    char escape[8];
    std::snprintf(escape, sizeof escape, "\\x%02x", static_cast<unsigned>(static_cast<unsigned char>(c)));
    out += escape;
  }
  if (bytes.size() > most_shown)
    out += "… (" + std::to_string(bytes.size()) + " bytes)";
  return out;
}

}  // namespace

void broken(const char* expression, const char* file, int line, std::string_view about) {
  std::fprintf(stderr, "%s:%d: does not hold: %s\nfor: %s\n", file, line, expression,
               printable(about).c_str());
  std::abort();
}

}  // namespace cafmcp::fuzz
