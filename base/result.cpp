#include "base/result.hpp"

namespace cafmcp {

const char* to_string(errc code) noexcept {
  switch (code) {
    case errc::invalid:
      return "invalid";
    case errc::not_found:
      return "not_found";
    case errc::conflict:
      return "conflict";
    case errc::unavailable:
      return "unavailable";
    case errc::overloaded:
      return "overloaded";
    case errc::timeout:
      return "timeout";
    case errc::denied:
      return "denied";
    case errc::io:
      return "io";
    case errc::internal:
      break;
  }
  return "internal";
}

}  // namespace cafmcp
