#pragma once
// The admin token: who knows it may use the admin API. The node writes it once into its data directory,
// readable by its own user only; `cafmcpctl` reads it from there. Thread-compatible.

#include <string>
#include <string_view>

#include "base/result.hpp"

namespace cafmcp::admin {

/// The token in `data_dir`/admin.token; makes one of 256 random bits (mode 0600) if there is none. Errors:
/// `io`, and `invalid` if the file holds no token.
result<std::string> load_or_create_token(const std::string& data_dir);

/// The token in `data_dir`/admin.token, for clients.
result<std::string> read_token(const std::string& data_dir);

/// Whether an `Authorization` header holds this token; takes the same time whatever is wrong with it.
bool authorized(std::string_view header, std::string_view token);

}  // namespace cafmcp::admin
