#include "node/identity.hpp"

#include <openssl/rand.h>
#include <unistd.h>

#include <boost/uuid/random_generator.hpp>
#include <boost/uuid/string_generator.hpp>
#include <boost/uuid/uuid_io.hpp>
#include <cerrno>
#include <fstream>
#include <system_error>

#include "base/assert.hpp"
#include "base/file.hpp"

namespace cafmcp::node {

namespace {

error io_error(const std::string& what, const std::string& path) {
  return fail(errc::io, what + ' ' + path + ": " + std::generic_category().message(errno));
}

result<std::string> create(const std::string& path) {
  const auto id = boost::uuids::to_string(boost::uuids::random_generator{}());
  if (const auto written = write_whole(path, id + '\n', 0644); !written)
    return written.error();
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
