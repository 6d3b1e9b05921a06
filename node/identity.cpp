#include "node/identity.hpp"

#include <fcntl.h>
#include <openssl/rand.h>
#include <unistd.h>

#include <boost/uuid/random_generator.hpp>
#include <boost/uuid/string_generator.hpp>
#include <boost/uuid/uuid_io.hpp>
#include <cerrno>
#include <fstream>
#include <system_error>

#include "base/assert.hpp"

namespace cafmcp::node {

namespace {

error io_error(const std::string& what, const std::string& path) {
  return fail(errc::io, what + ' ' + path + ": " + std::generic_category().message(errno));
}

// Whole or not at all: under another name first.
result<std::string> create(const std::string& path) {
  const auto id = boost::uuids::to_string(boost::uuids::random_generator{}());
  const auto draft = path + ".new";
  const auto text = id + '\n';
  const int fd = ::open(draft.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd < 0)
    return io_error("cannot create", draft);
  const bool written =
      ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()) && ::fsync(fd) == 0;
  ::close(fd);
  if (!written || ::rename(draft.c_str(), path.c_str()) != 0)
    return io_error("cannot write", path);
  return id;
}

}  // namespace

result<std::string> load_or_create_node_id(const std::string& data_dir) {
  const auto path = data_dir + "/node.id";
  if (::access(path.c_str(), F_OK) != 0 && errno == ENOENT)
    return create(path);
  std::ifstream in{path};
  std::string text;
  if (!std::getline(in, text))
    return io_error("cannot read", path);
  try {
    return boost::uuids::to_string(boost::uuids::string_generator{}(text));
  } catch (const std::runtime_error&) {
    return fail(errc::invalid, path + " holds no node id; restore it, or delete it to join as a new node");
  }
}

std::uint64_t draw_incarnation() {
  std::uint64_t out = 0;
  const auto drawn = RAND_bytes(reinterpret_cast<unsigned char*>(&out), sizeof out);
  CAFMCP_ASSERT(drawn == 1);
  return out | 1U;
}

}  // namespace cafmcp::node
