#include "admin/store_json.hpp"

namespace cafmcp::admin {

namespace {

using json = nlohmann::ordered_json;

json milliseconds_of(const persistence::tally<persistence::seconds_bounds>& t) {
  const auto count = t.count();
  return {{"mean", count == 0 ? 0 : 1e3 * t.sum / static_cast<double>(count)},
          {"p50_within", 1e3 * t.quantile(0.5)},
          {"p99_within", 1e3 * t.quantile(0.99)}};
}

}  // namespace

json store_json(const persistence::sqlite_stats& s, const std::string& health) {
  const auto all = s.sessions + s.tombstones;
  const auto per = [](std::uint64_t sum, std::uint64_t count) {
    return count == 0 ? 0.0 : static_cast<double>(sum) / static_cast<double>(count);
  };
  json out{{"kind", "sqlite"}, {"status", health.empty() ? "ok" : "failing"}};
  if (!health.empty())
    out["reason"] = health;
  out.update({{"loaded", s.loaded},
              {"sessions", s.sessions},
              {"tombstones", s.tombstones},
              {"file_bytes", s.file_bytes},
              {"log_bytes", s.log_bytes},
              {"bytes_per_session", per(s.file_bytes, all)},
              {"memory",
               {{"index_bytes", s.index_bytes},
                {"index_bytes_per_session", per(s.index_bytes, all)},
                {"cache_bytes", s.cache_bytes}}},
              {"history", {{"operations", s.history_operations}, {"bytes", s.history_bytes}}},
              {"queue", {{"operations", s.queued}, {"bytes", s.queued_bytes}}},
              {"groups", s.groups},
              {"operations", s.operations},
              {"operations_per_group", per(s.operations, s.groups)},
              {"commit_ms", milliseconds_of(s.commit_seconds)},
              {"write_ms", milliseconds_of(s.write_seconds)},
              {"refused_operations", s.refused},
              {"failed_groups", s.failed_groups},
              {"lost_operations", s.lost},
              {"damaged_records", s.damaged},
              {"gaps", s.gaps}});
  return out;
}

json check_json(const persistence::store_check& found, double seconds) {
  return {{"running", false},
          {"rows", found.sessions.rows},
          {"damaged_records", found.sessions.damaged},
          {"gaps", found.sessions.gaps},
          {"damaged_operations", found.damaged_operations},
          {"seconds", seconds}};
}

}  // namespace cafmcp::admin
