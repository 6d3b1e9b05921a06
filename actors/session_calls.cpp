#include "actors/session.hpp"
#include "base/log.hpp"
#include "mcp/notify.hpp"
#include "mcp/writer.hpp"

namespace cafmcp::actors {

void session::start_call(const exchange_ptr& where, mcp::call what) {
  std::string id;
  if (!admit(where, what, id))
    return;
  const auto* route = snapshot_->route(what);
  if (route == nullptr)
    return answer(where, mcp::finish(what, mcp::unavailable("its server is gone")));
  running_call r;
  const auto serial = ++last_serial_;
  r.request = std::make_shared<actors::request>(serial, std::move(what), info_, env_->node, mailbox_);
  r.where = where;
  r.stats = route->stats;
  r.started = clock::now();
  r.attachment = attachment_;
  run(r, *route->impl);
  // What answers at once, as most tools do, was never anywhere but on the stack.
  if (r.done)
    return;
  r.id = id.empty() ? mcp::canonical_id(r.request->call().id) : std::move(id);
  running_by_id_[r.id] = serial;
  if (!where->socket && where->channel && !where->batch &&
      record_.protocol.version >= mcp::revision::v2025_11_25)
    prime_later(serial);
  running_.emplace(serial, std::move(r));
  calls_changed();
}

// Whether one more call may run, and under its id. Ids that are in use are refused; but a client that has
// resumed counts from 0 again, and the call of its former life ends then.
bool session::admit(const exchange_ptr& where, const mcp::call& what, std::string& id) {
  if (running_.size() >= env_->limits.running_calls) {
    answer(where, mcp::finish(what, mcp::unavailable("too many calls run in this session; wait for some")));
    return false;
  }
  if (running_by_id_.empty())
    return true;
  id = mcp::canonical_id(what.id);
  const auto i = running_by_id_.find(id);
  if (i == running_by_id_.end())
    return true;
  const auto& other = running_.at(i->second);
  const bool former = other.where->socket ? other.attachment != attachment_ : !other.where->channel;
  if (!former) {
    answer(where, mcp::finish(what, mcp::invalid_request("a request with this id is running")));
    return false;
  }
  cancel_call(id);
  return true;
}

void session::run(running_call& r, server& handler) {
  auto events = r.request->run_inline([&] {
    try {
      handler.run(r.request);
    } catch (const std::exception& e) {
      r.request->finish(mcp::finish(r.request->call(), mcp::internal_error(e.what())), true);
    } catch (...) {
      r.request->finish(mcp::finish(r.request->call(), mcp::internal_error("the handler failed")), true);
    }
  });
  // Each report may cause more: a callback that gets its value, and answers.
  for (std::size_t i = 0; i < events.size(); ++i) {
    auto more = r.request->run_inline([&, event = std::move(events[i])]() mutable { execute(&r, event); });
    std::move(more.begin(), more.end(), std::back_inserter(events));
  }
}

void session::on_report(request_event event) {
  const auto i = running_.find(event.serial);
  if (i == running_.end())
    return execute(nullptr, event);
  execute(&i->second, event);
  if (!i->second.done)
    return;
  if (const auto known = running_by_id_.find(i->second.id);
      known != running_by_id_.end() && known->second == event.serial)
    running_by_id_.erase(known);
  running_.erase(i);
  calls_changed();
}

// `r` is null for a call that is forgotten; its state operations still count.
void session::execute(running_call* r, request_event& e) {
  auto body = std::exchange(e.body, std::monostate{});
  if (auto* finish = std::get_if<request_event::finish>(&body)) {
    if (r != nullptr)
      complete(*r, std::move(finish->answer), finish->failed);
  } else if (const auto* progress = std::get_if<request_event::progress>(&body)) {
    if (r == nullptr)
      return;
    const auto& call = r->request->call();
    if (auto text = mcp::progress_message(call.version, call.progress_token, progress->value, progress->total,
                                          progress->message))
      event(r->where, std::move(*text));
  } else if (const auto* line = std::get_if<request_event::log>(&body)) {
    if (auto text = r == nullptr ? std::nullopt
                                 : mcp::log_message(record_.protocol, line->level, line->logger, line->data))
      event(r->where, std::move(*text));
  } else if (auto* get = std::get_if<request_event::get>(&body)) {
    state_get(*get);
  } else if (auto* put = std::get_if<request_event::put>(&body)) {
    state_put(*put);
  } else if (auto* increment = std::get_if<request_event::increment>(&body)) {
    state_increment(*increment);
  } else if (auto* keys = std::get_if<request_event::keys>(&body)) {
    state_keys(*keys);
  }
}

void session::complete(running_call& r, std::string bytes, bool failed) {
  r.done = true;
  r.stats->count(clock::now() - r.started, failed);
  // It would be too much for any connection, also for the next one.
  if (bytes.size() > env_->limits.message_bytes)
    bytes = mcp::finish(r.request->call(),
                        mcp::internal_error("the answer has " + std::to_string(bytes.size()) + " bytes; " +
                                            std::to_string(env_->limits.message_bytes) +
                                            " can be sent (limits.backlog_bytes)"));
  answer(r.where, std::move(bytes));
}

// Ends a call that gets no answer: its client gave it up, or has used its id anew.
void session::cancel_call(const std::string& canonical_id) {
  const auto i = running_by_id_.find(canonical_id);
  if (i == running_by_id_.end())
    return;
  const auto call = running_.extract(i->second);
  running_by_id_.erase(i);
  calls_changed();
  auto& r = call.mapped();
  r.request->cancel();
  withdraw(r.where);
}

void session::calls_changed() {
  entry_->running.store(static_cast<std::uint32_t>(running_.size()), std::memory_order_relaxed);
}

void session::end_calls(const std::function<void(running_call&)>& tell) {
  for (auto& [serial, r] : std::exchange(running_, {})) {
    r.request->cancel();
    tell(r);
  }
  running_by_id_.clear();
  calls_changed();
}

// All calls end without their answers.
void session::forget_calls(transport::channel_end how) {
  end_calls([&](running_call& r) {
    if (!r.where->socket && !r.where->over_socket && r.where->channel)
      close(r.where->channel, how);
  });
}

// All calls end, and their clients are told that nobody knows how.
void session::lose_calls(const char* why) {
  end_calls([&](running_call& r) { answer(r.where, mcp::finish(r.request->call(), mcp::in_doubt(why))); });
}

// An answer that takes its time becomes a stream that its client can come back to.
void session::prime_later(std::uint64_t serial) {
  start_timer(env_->limits.prime_after, [this, serial] {
    const auto i = running_.find(serial);
    if (i == running_.end() || i->second.where->stream != 0 || !i->second.where->channel)
      return;
    event(i->second.where, {});
    flush();
  });
}

}  // namespace cafmcp::actors
