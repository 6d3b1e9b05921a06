#include "persistence/sqlite_store.hpp"

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <utility>

#include "base/log.hpp"
#include "persistence/batch.hpp"
#include "persistence/record_codec.hpp"

namespace cafmcp::persistence {

namespace {

constexpr std::size_t max_scan = 10'000;
constexpr std::size_t group_operations = 4096;
constexpr std::size_t group_bytes = std::size_t{64} << 20;

// Of the file: what a start waits for, what is read between two groups, and what is read at a time while
// there are none.
constexpr std::size_t rows_at_start = 10'000;
constexpr std::size_t rows_between_groups = 1000;
constexpr std::size_t rows_while_idle = 2000;

error no_bucket(std::uint32_t number) {
  return fail(errc::invalid, "there is no bucket " + std::to_string(number));
}

std::string bucket_name(std::string_view id) {
  return "of bucket " + std::to_string(bucket_of(id));
}

bool creates(const std::vector<operation>& operations) {
  return operations.front().kind == op_kind::create;
}

// What SQLite refuses in a row of the history would fail the whole group.
result<void> check_sizes(const std::vector<operation>& operations) {
  for (const auto& op : operations)
    if (op.bytes.size() + op.session.size() + plain_bytes > max_encoded_bytes)
      return fail(errc::overloaded,
                  "an operation may have about " + std::to_string(max_encoded_bytes) + " bytes");
  return {};
}

std::size_t bytes_of_batch(const std::vector<operation>& operations) {
  std::size_t sum = 0;
  for (const auto& op : operations)
    sum += sizeof(operation) + op.session.size() + op.bytes.size();
  return sum;
}

}  // namespace

// What is known of the first `jobs` of the queue, which are being carried out together.
struct sqlite_store::group {
  std::size_t jobs = 0;
  std::size_t operations = 0;          // that were not refused
  std::vector<result<void>> refusals;  // of each job
  std::chrono::nanoseconds commit{0};
};

result<std::shared_ptr<sqlite_store>> sqlite_store::open(const sqlite_options& options) {
  std::shared_ptr<sqlite_store> store{new sqlite_store(options)};
  if (auto started = store->start(); !started)
    return started.error();
  return store;
}

result<void> sqlite_store::start() {
  auto lock = directory_lock::take(options_.directory);
  if (!lock)
    return lock.error();
  lock_ = std::move(*lock);
  auto db = open_sessions_file(options_.directory, options_.vfs);
  if (!db)
    return db.error();
  db_ = std::move(*db);
  auto table = session_table::open(db_, options_);
  if (!table)
    return table.error();
  table_ = std::make_unique<session_table>(std::move(*table));
  auto history = operation_history::open(db_, options_.history_operations, options_.history_bytes);
  if (!history)
    return history.error();
  history_ = std::make_unique<operation_history>(std::move(*history));
  // Small files are known before anybody asks.
  if (auto some = table_->load(rows_at_start, [](std::string_view) {}); !some)
    return some;
  count_sessions();
  opened_ = said_ = std::chrono::steady_clock::now();
  if (table_->loading())
    log::get("persistence").info("reading the sessions file", {{"sessions", table_->live()}});
  writer_ = std::make_unique<store_writer>(
      store_writer::bounds{options_.queue_operations, options_.queue_bytes, options_.ordinary_delay},
      [this](std::deque<store_job>& jobs, bool last) { return run(jobs, last); });
  return {};
}

sqlite_store::~sqlite_store() {
  if (const auto done = close(); !done)
    log::get("persistence").error("the store was not closed properly", {{"reason", done.error().message}});
}

result<void> sqlite_store::close() {
  const std::lock_guard lock{closing_};
  if (!writer_ || std::exchange(closed_, true))
    return {};
  writer_->stop();
  give_up_waiting(fail(errc::unavailable, "the store is closed"));
  table_.reset();
  history_.reset();
  auto done = close_sessions_file(db_);
  db_ = {};
  lock_ = {};
  return done;
}

void sqlite_store::apply(std::vector<operation> operations, callback<void> then) {
  auto fine = check_batch(operations);
  if (fine)
    fine = check_sizes(operations);
  if (!fine)
    return then(fine);
  store_job job;
  job.bytes = bytes_of_batch(operations);
  job.urgent = std::any_of(operations.begin(), operations.end(),
                           [](const operation& op) { return safety_of(op.kind) == safety::critical; });
  job.operations = std::move(operations);
  if (options_.critical_waits) {
    job.then = std::move(then);
    return enqueue(std::move(job));
  }
  const bool create = creates(job.operations);
  if (create && size_ + creates_.fetch_add(1) >= options_.max_sessions) {
    --creates_;
    return then(fail(errc::overloaded, "the store is full: " + std::to_string(options_.max_sessions) +
                                           " sessions; end some or raise the bound"));
  }
  const auto count = job.operations.size();
  auto queued = writer_->push(job);
  if (!queued) {
    creates_ -= create ? 1 : 0;
    const std::lock_guard lock{mutex_};
    stats_.refused += count;
  }
  then(std::move(queued));
}

void sqlite_store::enqueue(store_job job) {
  const auto queued = writer_->push(job);
  if (queued)
    return;
  if (job.operations.empty())
    return job.after(queued);
  {
    const std::lock_guard lock{mutex_};
    stats_.refused += job.operations.size();
  }
  job.then(queued);
}

// Reads carry an error of their own past `how`: full, closed, or, when writes were answered before they could
// be written, that nobody can know now.
template <class T>
void sqlite_store::read(callback<T> then, std::function<result<T>()> how,
                        std::function<result<void>()> inside) {
  store_job job;
  job.inside = std::move(inside);
  job.after = [this, then = std::move(then), how = std::move(how)](const result<void>& may) {
    if (!may)
      return then(may.error());
    auto found = how();
    count_sessions();  // it may have met records that are damaged
    then(std::move(found));
  };
  enqueue(std::move(job));
}

void sqlite_store::get(std::string_view session, callback<session_record> then) {
  store_job job;
  job.after = [this, then = std::move(then), id = std::string{session}](const result<void>& may) {
    if (!may)
      return then(may.error());
    get_or_wait(id, then);
  };
  enqueue(std::move(job));
}

void sqlite_store::scan(std::uint32_t bucket, std::string_view after, std::size_t limit,
                        callback<std::vector<session_summary>> then) {
  if (bucket >= bucket_count)
    return then(no_bucket(bucket));
  limit = std::clamp<std::size_t>(limit, 1, max_scan);
  read<std::vector<session_summary>>(std::move(then), [this, bucket, from = std::string{after}, limit] {
    return table_->scan(bucket, from, limit);
  });
}

void sqlite_store::expire(std::uint32_t bucket, std::int64_t before_ms, std::size_t limit,
                          callback<std::vector<idle_session>> then) {
  if (bucket >= bucket_count)
    return then(no_bucket(bucket));
  limit = std::clamp<std::size_t>(limit, 1, max_scan);
  read<std::vector<idle_session>>(
      std::move(then), [this, bucket, before_ms, limit] { return table_->idle(bucket, before_ms, limit); },
      [this, bucket, before_ms] { return table_->forget(bucket, before_ms); });
}

void sqlite_store::history(std::uint32_t bucket, std::uint64_t after, std::size_t limit,
                           callback<std::vector<numbered_operation>> then) {
  if (bucket >= bucket_count)
    return then(no_bucket(bucket));
  limit = std::clamp<std::size_t>(limit, 1, max_scan);
  read<std::vector<numbered_operation>>(
      std::move(then), [this, bucket, after, limit] { return history_->read(bucket, after, limit); });
}

void sqlite_store::check(callback<store_check> then) {
  store_job job;
  job.after = [this, then = std::move(then)](const result<void>& may) {
    if (!may)
      return then(may.error());
    begin_check(then);
  };
  enqueue(std::move(job));
}

result<void> sqlite_store::health() const {
  const std::lock_guard lock{mutex_};
  return health_;
}

sqlite_stats sqlite_store::stats() const {
  const auto queued = writer_->queued();
  const auto size_of = [](const std::string& path) {
    std::error_code failed;
    const auto bytes = std::filesystem::file_size(path, failed);
    return failed ? 0 : bytes;
  };
  const std::lock_guard lock{mutex_};
  auto out = stats_;
  out.queued = queued.operations;
  out.queued_bytes = queued.bytes;
  out.file_bytes = size_of(sessions_path(options_.directory));
  out.log_bytes = size_of(sessions_path(options_.directory) + "-wal");
  return out;
}

store_turn sqlite_store::run(std::deque<store_job>& jobs, bool last) {
  const bool busy = !jobs.empty();
  const bool done = !busy || run_group(jobs, last);
  if (!done)
    return store_turn::pause;
  return last ? store_turn::again : work_on(busy ? rows_between_groups : rows_while_idle);
}

// False: what is left over can't be written now.
bool sqlite_store::run_group(std::deque<store_job>& jobs, bool last) {
  group g;
  const auto written = write(jobs, g);
  note(g, written);
  if (!options_.critical_waits && !written) {
    // What was answered stays, to be tried again. Nobody can know now what is going to be.
    const auto kept =
        std::stable_partition(jobs.begin(), jobs.end(), [](const auto& j) { return !j.operations.empty(); });
    std::deque<store_job> reads{std::make_move_iterator(kept), std::make_move_iterator(jobs.end())};
    jobs.erase(kept, jobs.end());
    writer_->release(reads, reads.size());
    for (const auto& job : reads)
      job.after(fail(errc::unavailable, written.error().message));
    if (last)
      for (const auto& job : jobs)
        lose(job, written.error());
    return jobs.empty();
  }
  answer(jobs, g, written);
  return true;
}

// The first jobs of the queue in one transaction, which is gone when that fails.
result<void> sqlite_store::write(std::deque<store_job>& jobs, group& g) {
  auto done = transact(jobs, g);
  if (done) {
    table_->committed();
    history_->committed();
    return done;
  }
  if (db_.in_transaction())
    static_cast<void>(db_.exec("ROLLBACK"));
  table_->rolled_back();
  history_->rolled_back();
  return done;
}

result<void> sqlite_store::transact(std::deque<store_job>& jobs, group& g) {
  const auto writes = [](const store_job& job) { return !job.operations.empty() || job.inside; };
  if (std::none_of(jobs.begin(), jobs.end(), writes)) {
    g.jobs = jobs.size();
    g.refusals.resize(g.jobs);
    return {};
  }
  if (auto begun = db_.exec("BEGIN IMMEDIATE"); !begun) {
    g.jobs = jobs.size();  // nothing was tried, so all of them fail
    g.refusals.resize(g.jobs);
    return begun;
  }
  const auto limit = options_.critical_waits ? options_.max_sessions : UINT64_MAX;
  const auto room = table_->cached_bytes() + group_bytes;
  result<void> done;
  for (const auto& job : jobs) {
    if (g.operations >= group_operations || table_->cached_bytes() > room || !done)
      break;
    ++g.jobs;
    auto& refusal = g.refusals.emplace_back();
    if (job.operations.empty())
      continue;
    done = table_->apply(job.operations, limit, refusal);
    if (done && refusal)
      done = history_->append(job.operations);
    g.operations += refusal ? job.operations.size() : 0;
  }
  if (done)
    done = table_->flush();
  for (std::size_t i = 0; i < g.jobs && done; ++i)
    if (jobs[i].inside)
      done = jobs[i].inside();
  if (done)
    done = history_->trim();
  // A group that changes nothing would say nothing of the disk; nor does a row that stays the same.
  if (done && !health())
    done = db_.exec("INSERT INTO meta VALUES('probe', 1) ON CONFLICT(key) DO UPDATE SET value=value+1");
  if (!done)
    return done;
  const auto begin = std::chrono::steady_clock::now();
  done = db_.exec("COMMIT");
  g.commit = std::chrono::steady_clock::now() - begin;
  return done;
}

void sqlite_store::answer(std::deque<store_job>& jobs, group& g, const result<void>& written) {
  writer_->release(jobs, g.jobs);
  {
    const auto now = std::chrono::steady_clock::now();
    const std::lock_guard lock{mutex_};
    for (std::size_t i = 0; i < g.jobs && written; ++i)
      if (!jobs[i].operations.empty())
        stats_.write_seconds.add(std::chrono::duration<double>(now - jobs[i].since).count());
  }
  for (std::size_t i = 0; i < g.jobs; ++i) {
    const auto job = std::move(jobs.front());
    jobs.pop_front();
    if (job.operations.empty()) {
      job.after({});  // whatever became of the writes, this is what is stored
      continue;
    }
    const auto& outcome = written ? g.refusals[i] : written;
    if (job.then) {
      job.then(outcome);
      continue;
    }
    creates_ -= creates(job.operations) ? 1 : 0;
    if (!outcome)
      lose(job, outcome.error());
  }
}

// Success was said, and nothing was written.
void sqlite_store::lose(const store_job& job, const error& why) {
  const auto& id = job.operations.front().session;
  log::get("persistence")
      .error("operations of a session are lost",
             {{"session", options_.name_of ? options_.name_of(id) : bucket_name(id)},
              {"operations", job.operations.size()},
              {"reason", why.message}});
  const std::lock_guard lock{mutex_};
  stats_.lost += job.operations.size();
}

void sqlite_store::count_sessions() {
  size_ = table_->live();
  const std::lock_guard lock{mutex_};
  stats_.damaged = table_->damaged();
  stats_.gaps = table_->gaps();
  stats_.doubt = table_->doubt();
  stats_.loaded = table_->loaded();
  stats_.checked = check_ ? check_->rows.part() : 1;
  stats_.sessions = table_->live();
  stats_.tombstones = table_->tombstones();
  stats_.index_bytes = table_->index_bytes();
  stats_.cache_bytes = table_->cached_bytes();
  stats_.history_operations = history_->operations();
  stats_.history_bytes = history_->bytes();
}

void sqlite_store::note(const group& g, const result<void>& written) {
  count_sessions();
  bool changed = false;
  {
    const std::lock_guard lock{mutex_};
    if (written) {
      stats_.operations += g.operations;
      if (g.operations > 0) {
        ++stats_.groups;
        stats_.commit_seconds.add(std::chrono::duration<double>(g.commit).count());
        stats_.group_operations.add(static_cast<double>(g.operations));
      }
    } else {
      ++stats_.failed_groups;
    }
    // A group that only read says nothing of the disk.
    changed = health_.has_value() != written.has_value() && (!written || g.commit.count() > 0);
    if (!written || changed)
      health_ = written;
  }
  if (changed && !written)
    log::get("persistence").error("the store can't write", {{"reason", written.error().message}});
  else if (changed)
    log::get("persistence").info("the store can write again");
}

}  // namespace cafmcp::persistence
