// The part of `/metrics` that is about the session store.

#include <limits>

#include "admin/metrics_families.hpp"

namespace cafmcp::admin {

namespace {

using prometheus::MetricType;

template <const auto& Bounds>
void add_tally(metrics_families& p, const char* name, const char* help, const persistence::tally<Bounds>& t) {
  prometheus::ClientMetric::Histogram out;
  for (std::size_t i = 0; i < t.counts.size(); ++i) {
    out.sample_count += t.counts[i];
    out.bucket.push_back(
        {out.sample_count, i < std::size(Bounds) ? Bounds[i] : std::numeric_limits<double>::infinity()});
  }
  out.sample_sum = t.sum;
  p.family(name, help, MetricType::Histogram);
  p.histogram(std::move(out), {});
}

void add_sizes(metrics_families& p, const persistence::sqlite_stats& s) {
  p.gauge("cafmcp_store_queued_operations", "Operations that wait to be written.",
          static_cast<double>(s.queued));
  p.gauge("cafmcp_store_queued_bytes", "Bytes of these.", static_cast<double>(s.queued_bytes));
  p.gauge("cafmcp_store_file_bytes", "Size of the database, without its log.",
          static_cast<double>(s.file_bytes));
  p.gauge("cafmcp_store_log_bytes", "Size of the database's write-ahead log.",
          static_cast<double>(s.log_bytes));
  p.gauge("cafmcp_store_index_bytes", "Memory that is taken for where sessions are.",
          static_cast<double>(s.index_bytes));
  p.gauge("cafmcp_store_cache_bytes", "Memory that is taken for the records used last, about.",
          static_cast<double>(s.cache_bytes));
  p.gauge("cafmcp_store_tombstones", "Sessions that have ended and are remembered for a while.",
          static_cast<double>(s.tombstones));
  p.gauge("cafmcp_store_history_operations", "Operations that are kept for whoever has to catch up.",
          static_cast<double>(s.history_operations));
  p.gauge("cafmcp_store_history_bytes", "Bytes of these, on disk.", static_cast<double>(s.history_bytes));
}

}  // namespace

void add_store(metrics_families& p, const persistence::sqlite_store& store) {
  const auto s = store.stats();
  p.gauge("cafmcp_store_up", "Whether the last write to the session store worked.", store.health() ? 1 : 0);
  p.gauge("cafmcp_store_loading", "Whether the store is still reading its file after the start.",
          s.loaded < 1 ? 1 : 0);
  p.gauge("cafmcp_store_loaded_ratio", "The part of its file that it has read.", s.loaded);
  add_sizes(p, s);
  p.counter("cafmcp_store_groups_total", "Transactions committed, each with one fsync.",
            static_cast<double>(s.groups));
  p.counter("cafmcp_store_operations_total", "Operations written.", static_cast<double>(s.operations));
  add_tally(p, "cafmcp_store_group_operations", "Operations in a transaction.", s.group_operations);
  add_tally(p, "cafmcp_store_commit_seconds", "Time spent in a commit, fsync included.", s.commit_seconds);
  add_tally(p, "cafmcp_store_write_seconds",
            "Time from the request to write operations of a session until they are written.",
            s.write_seconds);
  p.counter("cafmcp_store_refused_operations_total", "Operations refused because the queue was full.",
            static_cast<double>(s.refused));
  p.counter("cafmcp_store_failed_groups_total", "Transactions that failed.",
            static_cast<double>(s.failed_groups));
  p.counter("cafmcp_store_lost_operations_total",
            "Operations that were acknowledged and then not written (durability.critical: memory).",
            static_cast<double>(s.lost));
  p.counter("cafmcp_store_damaged_records_total", "Records that could not be read and were set aside.",
            static_cast<double>(s.damaged));
  p.gauge("cafmcp_store_gaps", "Stretches of the file that can't be read.", static_cast<double>(s.gaps));
}

}  // namespace cafmcp::admin
