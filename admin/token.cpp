#include "admin/token.hpp"

#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>

#include "base/file.hpp"

namespace cafmcp::admin {

namespace {

constexpr std::size_t token_bytes = 32;
constexpr std::size_t longest_token = 512;

std::string path_in(const std::string& data_dir) {
  return data_dir + "/admin.token";
}

error io_error(const std::string& what, const std::string& path) {
  return fail(errc::io, what + ' ' + path + ": " + std::generic_category().message(errno));
}

}  // namespace

result<std::string> read_token(const std::string& data_dir) {
  const auto path = path_in(data_dir);
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    const auto code = errno == ENOENT ? errc::not_found : errc::io;
    auto e = io_error("cannot read", path);
    e.code = code;
    return e;
  }
  std::array<char, longest_token + 1> buffer;
  const auto size = ::read(fd, buffer.data(), buffer.size());
  ::close(fd);
  if (size < 0)
    return io_error("cannot read", path);
  std::string_view text{buffer.data(), static_cast<std::size_t>(size)};
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' '))
    text.remove_suffix(1);
  const bool plain = std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 127; });
  if (text.size() < 16 || text.size() > longest_token || !plain)
    return fail(errc::invalid,
                path + " holds no token; delete it, and the node makes a new one when it starts");
  return std::string{text};
}

result<std::string> load_or_create_token(const std::string& data_dir) {
  auto token = read_token(data_dir);
  if (token || token.error().code != errc::not_found)
    return token;
  std::array<unsigned char, token_bytes> random;
  if (RAND_bytes(random.data(), static_cast<int>(random.size())) != 1)
    return fail(errc::internal, "no random numbers for the admin token");
  std::string text;
  for (const auto byte : random) {
    text += "0123456789abcdef"[byte >> 4];
    text += "0123456789abcdef"[byte & 15];
  }
  if (const auto written = write_whole(path_in(data_dir), text + '\n', 0600); !written)
    return written.error();
  return text;
}

bool authorized(std::string_view header, std::string_view token) {
  constexpr std::string_view scheme = "bearer ";
  if (header.size() < scheme.size() || !std::equal(scheme.begin(), scheme.end(), header.begin(),
                                                   [](char a, char b) { return a == (b | 0x20); }))
    return false;
  header.remove_prefix(scheme.size());
  return header.size() == token.size() && CRYPTO_memcmp(header.data(), token.data(), token.size()) == 0;
}

}  // namespace cafmcp::admin
