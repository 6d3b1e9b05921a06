#define CAF_SUITE token

#include "admin/token.hpp"

#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "tests/unit/caf_test.hpp"

using namespace cafmcp;

namespace {

struct fixture {
  fixture() {
    std::string pattern = std::filesystem::temp_directory_path() / "cafmcp-token-XXXXXX";
    dir = ::mkdtemp(pattern.data());
  }
  ~fixture() { std::filesystem::remove_all(dir); }
  void write(const std::string& text) { std::ofstream{dir + "/admin.token"} << text; }
  std::string dir;
};

}  // namespace

CAF_TEST_FIXTURE_SCOPE(token_tests, fixture)

CAF_TEST(a token is made once and kept for its user alone) {
  CAF_CHECK(admin::read_token(dir).error().code == errc::not_found);
  const auto first = admin::load_or_create_token(dir);
  CAF_REQUIRE(first.has_value());
  CAF_CHECK_EQUAL(first->size(), 64u);
  struct stat info {};
  CAF_REQUIRE_EQUAL(::stat((dir + "/admin.token").c_str(), &info), 0);
  CAF_CHECK_EQUAL(info.st_mode & 0777, 0600u);
  CAF_CHECK_EQUAL(admin::load_or_create_token(dir).value(), *first);
  CAF_CHECK_EQUAL(admin::read_token(dir).value(), *first);
  std::filesystem::remove(dir + "/admin.token");
  CAF_CHECK_NOT_EQUAL(admin::load_or_create_token(dir).value(), *first);
}

CAF_TEST(what is no token is refused and not overwritten) {
  for (const auto& text : std::vector<std::string>{"", "short", std::string(600, 'x'),
                                                   "with blanks in it, all along", "\n\n\n"}) {
    write(text);
    CAF_CHECK(admin::load_or_create_token(dir).error().code == errc::invalid);
  }
  write("a-token-of-the-operators-own\r\n");
  CAF_CHECK_EQUAL(admin::load_or_create_token(dir).value(), "a-token-of-the-operators-own");
}

CAF_TEST(a folder that is not there is an error) {
  CAF_CHECK(admin::load_or_create_token(dir + "/no/such").error().code == errc::io);
}

CAF_TEST_FIXTURE_SCOPE_END()

CAF_TEST(only the exact token opens) {
  CAF_CHECK(admin::authorized("Bearer 0123456789abcdef", "0123456789abcdef"));
  CAF_CHECK(admin::authorized("BEARER 0123456789abcdef", "0123456789abcdef"));
  for (const auto* header : {"", "Bearer", "Bearer ", "0123456789abcdef", "Basic 0123456789abcdef",
                             "Bearer 0123456789abcdeg", "Bearer 0123456789abcdef ", "Bearer 0123456789abcde"})
    CAF_CHECK(!admin::authorized(header, "0123456789abcdef"));
}
