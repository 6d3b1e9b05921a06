#include "base/file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace cafmcp {

namespace {

error io_error(const std::string& what, const std::string& path) {
  return fail(errc::io, what + ' ' + path + ": " + std::generic_category().message(errno));
}

}  // namespace

result<void> write_whole(const std::string& path, const std::string& text, mode_t mode) {
  const auto draft = path + ".new";
  const int fd = ::open(draft.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode);
  if (fd < 0)
    return io_error("cannot create", draft);
  const bool written = ::fchmod(fd, mode) == 0 &&
                       ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
                       ::fsync(fd) == 0;
  const auto failure = errno;
  ::close(fd);
  errno = failure;
  if (!written || ::rename(draft.c_str(), path.c_str()) != 0)
    return io_error("cannot write", path);
  return {};
}

}  // namespace cafmcp
