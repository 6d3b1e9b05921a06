#include "actors/shard.hpp"

#include "base/log.hpp"
#include "supervisors/asio_scheduler.hpp"
#include "supervisors/supervisor.hpp"

namespace cafmcp::actors {

using persistence::op_kind;

namespace {

constexpr std::chrono::milliseconds start_timeout{5'000};

error no_such_session() {
  return fail(errc::not_found, "no such session");
}

}  // namespace

shard::shard(caf::actor_config& config, environment_ptr environment, std::size_t index, std::string members,
             std::shared_ptr<otp::name_table> names)
    : base_actor(config),
      env_(std::move(environment)),
      index_(index),
      members_(std::move(members)),
      names_(std::move(names)) {}

caf::behavior shard::make_behavior() {
  env_->router->take_slot(index_, caf::actor_cast<caf::actor>(this));
  watch_expiry();
  watch_active();
  const auto promised = [this] {
    auto promise = make_response_promise<session_answer>();
    return [promise](const result<entry_ptr>& outcome) mutable { promise.deliver(session_answer{outcome}); };
  };
  return {
      [this, promised](const create_session& what) -> caf::result<session_answer> {
        create(what, promised());
        return caf::delegated<session_answer>{};
      },
      [this, promised](const wake_session& what) -> caf::result<session_answer> {
        wake(what.id, what.where, promised());
        return caf::delegated<session_answer>{};
      },
      [this](session_loaded& what) { loaded(what); },
      [this](rerouted_mail& what) { on_mail(what); },
      [this](const sessions_idle& what) { expire(what); },
      [this](const session_expired& what) { expired(what); },
      [this](const lists_changed& what) { forward(what); },
      [this](const resource_updated& what) { forward(what); },
  };
}

void shard::terminate(const caf::error&) {
  env_->router->leave_slot(index_, id());
  for (auto& [id, waiters] : std::exchange(waking_, {}))
    for (const auto& then : waiters)
      then(fail(errc::unavailable, "the session's shard is restarting; try again"));
}

// Nothing is stored before the client's first message is.
void shard::create(const create_session& what, waiter then) {
  if (waking_.size() >= max_waking)
    return then(fail(errc::overloaded, "too many sessions are being started; try again"));
  if (env_->store->size() >= env_->limits.sessions)
    return then(fail(errc::overloaded, "this node has as many sessions as it may have"));
  const auto entry = env_->router->directory().add(what.id, what.principal);
  if (entry == nullptr)
    return then(fail(errc::overloaded, "this node has as many sessions as it may have"));
  entry->unborn = true;
  waking_[what.id].push_back(std::move(then));
  start_new(what.id, what.where, what.principal);
}

void shard::start_new(const std::string& id, std::size_t where, const std::string& principal) {
  session_start what{env_, nullptr, {}, {}};
  what.unstored.push_back({persistence::bucket_of(id), 1, 1, id, op_kind::create,
                           persistence::create_bytes(principal, env_->now_ms())});
  if (const auto applied = persistence::apply(what.record, what.unstored.front()); !applied)
    return settle(id, applied.error());
  start(id, where, std::move(what));
}

void shard::wake(const std::string& id, std::size_t where, waiter then) {
  const auto entry = env_->router->directory().find(id);
  if (entry != nullptr && entry->ended)
    return then(no_such_session());
  if (const auto i = waking_.find(id); i != waking_.end()) {
    i->second.push_back(std::move(then));
    return;
  }
  if (entry != nullptr && entry->actor())
    return then(entry);
  if (waking_.size() >= max_waking)
    return then(fail(errc::overloaded, "too many sessions are being woken; try again"));
  if (entry != nullptr && entry->crashes_too_often(env_->now_ms()))
    return then(fail(errc::unavailable, "the session crashes whenever it is woken; try again later"));
  waking_[id].push_back(std::move(then));
  env_->store->get(id,
                   [id, where, self = caf::actor_addr{address()}](result<persistence::session_record> found) {
                     auto record = std::make_shared<result<persistence::session_record>>(std::move(found));
                     otp::tell(self, session_loaded{id, where, std::move(record)});
                   });
}

void shard::loaded(session_loaded& what) {
  auto& record = *what.record;
  if (record && !record->ended)
    return start(what.id, what.where, {env_, nullptr, std::move(*record), {}});
  const auto entry = env_->router->directory().find(what.id);
  const auto failed = record ? no_such_session() : record.error();
  if (entry != nullptr && entry->unborn && failed.code == errc::not_found)
    return start_new(what.id, what.where, entry->principal);
  if (entry != nullptr)
    env_->router->directory().remove(entry);
  // A store that fails may work again: for clients that is 503.
  settle(what.id, failed.code == errc::io ? fail(errc::overloaded, failed.message) : failed);
}

void shard::start(const std::string& id, std::size_t where, session_start what) {
  what.entry = env_->router->directory().add(id, what.record.principal);
  if (what.entry == nullptr)
    return settle(id, fail(errc::overloaded, "this node has as many sessions as it may have"));
  what.entry->used_ms = env_->now_ms();
  const auto members = names_->lookup(members_);
  if (!members)
    return settle(id, fail(errc::unavailable, "the session's shard is restarting; try again"));
  const auto start = std::make_shared<const session_start>(std::move(what));
  auto* scheduler = otp::asio_scheduler::of(system());
  otp::start_instance message{caf::make_message(start),
                              scheduler != nullptr ? scheduler->unit(where) : nullptr};
  ask(
      *members, start_timeout,
      [this, id, entry = start->entry](const otp::child_started& child) {
        entry->actor_started(child.actor);
        settle(id, entry);
      },
      [this, id](const caf::error& reason) {
        settle(id, fail(errc::unavailable, "the session did not start: " + otp::describe(reason)));
      },
      std::move(message));
}

void shard::settle(const std::string& id, const result<entry_ptr>& outcome) {
  const auto i = waking_.find(id);
  if (i == waking_.end())
    return;
  const auto waiters = std::move(i->second);
  waking_.erase(i);
  for (const auto& then : waiters)
    then(outcome);
}

// An input that found no actor. Its session is woken where the client is.
void shard::on_mail(rerouted_mail& mail) {
  auto input = std::make_shared<session_input>(mail.mail.take());
  wake(mail.id, input->where, [this, input, id = mail.id](const result<entry_ptr>& found) {
    if (found)
      return env_->router->submit(std::move(*input), *found);
    auto entry = std::make_shared<session_entry>(id, "");
    refuse(env_->router, std::move(*input), entry, found.error());
  });
}

template <class T>
void shard::forward(const T& message) {
  auto& directory = env_->router->directory();
  for (std::size_t i = index_; i < session_directory::stripes; i += env_->router->shards())
    directory.each_in(i, [&](const entry_ptr& entry) {
      if (const auto to = entry->actor())
        caf::anon_send(to, message);
      return true;
    });
}

}  // namespace cafmcp::actors
