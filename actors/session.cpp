#include "actors/session.hpp"

#include "base/log.hpp"
#include "mcp/notify.hpp"
#include "mcp/writer.hpp"

namespace cafmcp::actors {

using persistence::op_kind;
using transport::channel_end;

namespace {

// Reports of requests as messages. Holds the actor by its address only, for requests may outlive it.
class actor_mailbox final : public request_mailbox {
 public:
  explicit actor_mailbox(caf::actor_addr to) : to_(std::move(to)) {}

  void post(request_event event) override {
    if (const auto to = caf::actor_cast<caf::actor>(to_))
      caf::anon_send(to, request_mail{std::make_shared<request_event>(std::move(event))});
  }

 private:
  const caf::actor_addr to_;
};

std::shared_ptr<const session_info> info_of(const session_entry& entry,
                                            const persistence::session_record& record) {
  return std::make_shared<const session_info>(
      session_info{entry.handle, record.epoch, record.protocol.client_info});
}

}  // namespace

session::session(caf::actor_config& config, std::shared_ptr<const session_start> start)
    : base_actor(config),
      env_(start->environment),
      entry_(start->entry),
      record_(start->record),
      socket_(std::make_shared<exchange>()),
      staged_(start->unstored) {
  socket_->socket = true;
}

caf::behavior session::make_behavior() {
  if (home() != nullptr)
    here_ = home()->index();
  last_input_ = clock::now();
  mailbox_ = std::make_shared<actor_mailbox>(address());
  info_ = info_of(*entry_, record_);
  snapshot_ = env_->registry->get();
  told_version_ = snapshot_->version;
  delivered_ = record_.outbound.empty() ? record_.last_outbound : record_.outbound.front().number - 1;
  for (const auto& m : record_.outbound)
    logged_bytes_ += m.bytes.size();
  entry_->actor_started(caf::actor_cast<caf::actor>(this));
  watch_idle(env_->limits.idle);
  if (record_.protocol.phase == mcp::session_phase::fresh)
    start_timer(env_->limits.greeting_timeout, [this] {
      if (record_.protocol.phase == mcp::session_phase::fresh)
        end("the client never sent initialize");
    });
  return {
      [this](session_mail& mail) { on_mail(mail); },
      [this](request_mail& mail) {
        on_report(std::move(*mail.event));
        flush();
      },
      [this](const lists_changed& what) { on_lists_changed(what); },
      [this](const resource_updated& what) {
        if (auto text = mcp::resource_updated(record_.protocol, what.uri))
          notify(std::move(*text));
        flush();
      },
      [this](const expire_session& what) { on_expire(what.before_ms); },
      [this](const passivate_session&) {
        if (!in_use())
          go_passive();
      },
      [this](const session_stored& what) {
        stored(what.commit, what.outcome);
        flush();
      },
      [this](session_undelivered& what) {
        missed(std::move(what.messages));
        flush();
      },
  };
}

void session::on_mail(session_mail& mail) {
  auto in = mail.take();
  last_input_ = clock::now();
  entry_->used_ms.store(env_->now_ms(), std::memory_order_relaxed);
  switch (in.what) {
    case session_input::kind::message:
      on_message(std::move(in));
      break;
    case session_input::kind::attach:
      on_attach(std::move(in));
      break;
    case session_input::kind::detach:
      on_detach(in.channel, std::move(in.missed));
      break;
    case session_input::kind::end:
      return end("ended by the client");
  }
  flush();
}

exchange_ptr session::exchange_for(const session_input& in) {
  if (in.channel && in.channel->is_socket())
    return socket_;
  auto x = std::make_shared<exchange>();
  x->channel = in.channel;
  return x;
}

void session::on_message(session_input in) {
  touch();
  if (snapshot_->version != env_->registry->version())
    snapshot_ = env_->registry->get();
  const auto where = exchange_for(in);
  if (mcp::looks_like_batch(in.body.bytes()) && mcp::has(record_.protocol.version, mcp::feature::batches)) {
    on_batch(where, in.body.bytes());
  } else if (const auto m = in.body.parse(); m) {
    handle(*m, where);
  } else {
    const auto& refusal = m.error();
    answer(where, mcp::write_error(refusal.id, refusal.error),
           static_cast<unsigned>(mcp::http_status(refusal.error.code)));
  }
  // What holds no request needs no answer, whatever its transport took it for.
  if (!where->socket && where->channel && where->open == 0)
    close(where->channel, channel_end::complete);
}

void session::on_batch(const exchange_ptr& where, const std::string& bytes) {
  const auto refuse = [&](const mcp::refusal& r) {
    answer(where, mcp::write_error(r.id, r.error), static_cast<unsigned>(mcp::http_status(r.error.code)));
  };
  mcp::parse_limits limits;
  limits.max_batch = env_->limits.batch_messages;
  const auto batch = mcp::parse_batch(bytes, limits);
  if (!batch)
    return refuse(batch.error());
  // On a WebSocket the array of answers is one more message; it must not close anything.
  auto x = where;
  if (where->socket) {
    x = std::make_shared<exchange>();
    x->channel = where->channel;
    x->over_socket = true;
  }
  x->batch = true;
  for (const auto& m : *batch)
    x->open += !m || m->is_request() ? 1 : 0;
  for (const auto& m : *batch)
    if (m)
      handle(*m, x);
    else
      answer(x, mcp::write_error(m.error().id, m.error().error));
}

void session::handle(const mcp::message& m, const exchange_ptr& where) {
  const bool request = m.is_request();
  if (request && !where->batch && !where->socket)
    ++where->open;
  mcp::step_options options;
  std::string meta;
  if (where->socket && m.method() == "initialize") {
    meta = session_meta();
    options.initialize_meta = meta;
    options.allow_reinitialize = std::exchange(may_greet_again_, false);
  }
  if (request && replay_waits_)
    drop_answer(m.id());
  auto outcome = mcp::step(record_.protocol, m, *snapshot_->offers, env_->server, options);
  if (outcome.cancelled)
    cancel_call(outcome.cancelled->id);
  for (const auto& change : outcome.changes)
    if (const auto applied = stage(op_kind::protocol, persistence::protocol_bytes(change)); !applied)
      log::get("actors").error("a change of the protocol's state was refused",
                               {{"session", entry_->handle}, {"reason", applied.error().message}});
  if (!outcome.changes.empty()) {
    info_ = info_of(*entry_, record_);
    commit([this, where, id = std::string{m.id()}, out = std::move(outcome.out)](const result<void>& stored) {
      for (const auto& text : out)
        answer(where, stored ? text : mcp::write_error(id, mcp::unavailable(stored.error().message)));
    });
  } else {
    for (auto& text : outcome.out)
      answer(where, std::move(text));
  }
  if (outcome.call)
    start_call(where, std::move(*outcome.call));
}

// What a client needs to know to come back; raw JSON.
std::string session::session_meta() const {
  mcp::json info{{"id", entry_->id}};
  if (auto url = env_->resume_url; !url.empty()) {
    if (const auto at = url.find("{id}"); at != std::string::npos)
      url.replace(at, 4, entry_->id);
    info["resumeUrl"] = url;
  }
  info["ttlMs"] = env_->limits.ttl.count();
  return mcp::dump({{"io.cafmcp/session", info}});
}

void session::on_lists_changed(const lists_changed& what) {
  if (what.version <= told_version_)
    return;
  told_version_ = what.version;
  const std::pair<bool, mcp::changed_list> lists[] = {{what.tools, mcp::changed_list::tools},
                                                      {what.resources, mcp::changed_list::resources},
                                                      {what.prompts, mcp::changed_list::prompts}};
  for (const auto& [changed, list] : lists)
    if (auto text = changed ? mcp::list_changed(record_.protocol, list) : std::nullopt)
      notify(std::move(*text));
  flush();
}

// The client was active. Stored now and then only: a hundredth of the time to live is exact enough.
void session::touch(bool surely) {
  const auto now = env_->now_ms();
  if (surely || now - record_.last_active_ms >= env_->limits.ttl.count() / 100)
    (void)stage(op_kind::touch, persistence::touch_bytes(now));
}

// Whether the actor has something that is nowhere else.
bool session::in_use() const noexcept {
  return socket_->channel || general_ || !running_.empty() || !streams_.empty() || !commits_.empty() ||
         !staged_.empty();
}

// Sessions that nobody uses leave memory: all that they are is in the store. What is on its way to this actor
// wakes the next one.
void session::watch_idle(std::chrono::milliseconds after) {
  start_timer(after, [this] {
    const auto since = std::chrono::duration_cast<std::chrono::milliseconds>(clock::now() - last_input_);
    const auto idle = env_->limits.idle;
    if (since < idle)
      return watch_idle(idle - since);
    if (in_use())
      return watch_idle(idle);
    go_passive();
  });
}

// Nothing has happened in it that is worth storing: its client may never say a word.
bool session::is_blank() const noexcept {
  return entry_->unborn && commits_.empty() && record_.protocol.phase == mcp::session_phase::fresh;
}

void session::go_passive() {
  passive_ = true;
  quit(caf::exit_reason::normal);
}

void session::on_expire(std::int64_t before_ms) {
  if (in_use()) {
    touch(true);
    return flush();
  }
  if (record_.last_active_ms < before_ms)
    end("expired");
}

void session::end(const std::string& why) {
  if (record_.ended)
    return;
  entry_->ended = true;
  forget_calls(channel_end::ended);
  close_all(channel_end::ended);
  log::get("actors").debug("session ended", {{"session", entry_->handle}, {"why", why}});
  if (is_blank()) {
    staged_.clear();
    return quit(caf::exit_reason::normal);
  }
  (void)stage(op_kind::end, persistence::end_bytes(why, env_->now_ms()));
  // The store gets it before anybody can ask for the session again: the directory knows it until then.
  commit([this](const result<void>&) { quit(caf::exit_reason::normal); });
  flush();
}

// The session's next actor finds the client's connection by this.
void session::attach_successor(const transport::channel_ptr& channel) {
  session_input input;
  input.what = session_input::kind::attach;
  input.channel = channel;
  input.where = channel->context();
  if (channel->is_socket())
    input.link = link_;
  env_->router->reroute(std::move(input), entry_);
}

void session::terminate(const caf::error& reason) {
  const bool shutdown = otp::is_normal_exit(reason);
  if (shutdown)
    forget_calls(channel_end::going_away);
  else
    lose_calls("the session's actor has died while the request ran");
  // Whoever waits for the store is told as well; the store may go on without this actor.
  for (const auto& [number, then] : std::exchange(commits_, {}))
    if (then)
      then(fail(errc::unavailable, "the session's actor has died before this was known to be stored"));
  // One that was never stored is remembered only for a client that may go on with it over the same WebSocket.
  const bool nothing = store_failed_ && entry_->unborn && !socket_->channel;
  if (entry_->ended || passive_ || nothing) {
    env_->router->directory().remove(entry_);
  } else if (shutdown) {
    close_all(channel_end::going_away);
  } else {
    if (!store_failed_)
      entry_->crashed(env_->now_ms());
    entry_->remember(env_->now_ms(), "the actor died: " + otp::describe(reason));
    log::get("actors").warn("a session's actor died; it wakes up with its next message",
                            {{"session", entry_->handle}, {"reason", otp::describe(reason)}});
  }
  flush();
  entry_->actor_ended(id());
  entry_->connected = false;
  if (!entry_->ended && !shutdown && socket_->channel)
    attach_successor(socket_->channel);
  if (!entry_->ended && !shutdown && general_)
    attach_successor(general_);
}

}  // namespace cafmcp::actors
