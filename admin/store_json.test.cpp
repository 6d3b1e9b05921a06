#define CAF_SUITE store_json

#include "admin/store_json.hpp"

#include "admin/store_view.hpp"
#include "tests/unit/caf_test.hpp"

using namespace cafmcp;
using json = nlohmann::ordered_json;

namespace {

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

CAF_TEST(figures of a store are told with what they mean for a session) {
  persistence::sqlite_stats s;
  s.sessions = 3;
  s.tombstones = 1;
  s.file_bytes = 8192;
  s.index_bytes = 100;
  s.groups = 2;
  s.operations = 5;
  s.loaded = 0.5;
  s.commit_seconds.add(0.0004);
  s.commit_seconds.add(0.02);
  const auto out = admin::store_json(s, "");
  CAF_CHECK_EQUAL(out["status"], "ok");
  CAF_CHECK(!out.contains("reason"));
  CAF_CHECK_EQUAL(out["bytes_per_session"], 2048.0);
  CAF_CHECK_EQUAL(out["memory"]["index_bytes_per_session"], 25.0);
  CAF_CHECK_EQUAL(out["operations_per_group"], 2.5);
  CAF_CHECK_EQUAL(out["commit_ms"]["p50_within"], 0.5);
  CAF_CHECK_EQUAL(out["commit_ms"]["p99_within"], 25.0);
  CAF_CHECK_EQUAL(out["write_ms"]["mean"], 0);
  const auto failing = admin::store_json(s, "the disk is full");
  CAF_CHECK_EQUAL(failing["status"], "failing");
  const auto drawn = admin::draw_store(failing, false);
  CAF_CHECK(has(drawn, "failing: the disk is full"));
  CAF_CHECK(has(drawn, "50 % of the file"));
  CAF_CHECK(has(drawn, "3, and 1 that have ended lately"));
  CAF_CHECK(has(drawn, "8.0 KiB"));
}

CAF_TEST(an empty store has no figures that make no sense) {
  const auto text = admin::store_json({}, "").dump();
  CAF_CHECK(!has(text, "null") && !has(text, "nan"));
}

CAF_TEST(a check is sound or says what is not ) {
  persistence::store_check found;
  found.sessions.rows = 1234;
  auto out = admin::check_json(found, 1.5);
  CAF_CHECK(admin::is_sound(out));
  CAF_CHECK_EQUAL(admin::draw_check(out, false), "1 234 records checked in 1.5 s: all is well\n");
  found.sessions.damaged = 2;
  out = admin::check_json(found, 1.5);
  CAF_CHECK(!admin::is_sound(out));
  CAF_CHECK(has(admin::draw_check(out, false), "2 damaged and set aside"));
  CAF_CHECK(has(admin::draw_check(out, true), "\x1b[31m"));
}

CAF_TEST(any JSON is drawn) {
  for (const auto* text :
       {"null", "[]", "{}", "3", R"({"memory":7,"commit_ms":[],"sessions":"x","rows":-1})"}) {
    CAF_CHECK(!admin::draw_store(json::parse(text), true).empty());
    CAF_CHECK(!admin::draw_check(json::parse(text), true).empty());
  }
}
