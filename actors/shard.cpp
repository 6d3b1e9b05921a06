#include "actors/shard.hpp"

#include <algorithm>

#include "base/log.hpp"
#include "supervisors/asio_scheduler.hpp"
#include "supervisors/supervisor.hpp"

namespace cafmcp::actors {

using persistence::op_kind;

namespace {

constexpr std::chrono::milliseconds start_timeout{5'000};
constexpr std::size_t expired_at_a_time = 1'000;

// From a store's thread, which may be the last to know of an actor that has ended.
template <class T>
void tell(const caf::actor_addr& whom, T message) {
  if (const auto to = caf::actor_cast<caf::actor>(whom))
    caf::anon_send(to, std::move(message));
}

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
  look_for_expired();
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
      [this](const sessions_expired& what) { expire(what); },
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

void shard::create(const create_session& what, waiter then) {
  if (waking_.size() >= max_waking)
    return then(fail(errc::overloaded, "too many sessions are being started; try again"));
  const auto entry = env_->router->directory().add(what.id, what.principal);
  if (entry == nullptr)
    return then(fail(errc::overloaded, "this node has as many sessions as it may have"));
  const auto now = env_->now_ms();
  persistence::operation op{persistence::bucket_of(what.id),
                            1,
                            1,
                            what.id,
                            op_kind::create,
                            persistence::create_bytes(what.principal, now)};
  waking_[what.id].push_back(std::move(then));
  auto record = std::make_shared<result<persistence::session_record>>(persistence::session_record{});
  if (const auto applied = persistence::apply(**record, op); !applied)
    *record = applied.error();
  std::vector<persistence::operation> ops;
  ops.push_back(std::move(op));
  env_->store->apply(std::move(ops), [id = what.id, where = what.where, record,
                                      self = caf::actor_addr{address()}](const result<void>& outcome) {
    if (!outcome)
      *record = outcome.error();
    tell(self, session_loaded{id, where, record});
  });
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
                     tell(self, session_loaded{id, where, std::move(record)});
                   });
}

void shard::loaded(session_loaded& what) {
  auto& record = *what.record;
  if (record && !record->ended)
    return start(what.id, what.where, std::move(*record));
  if (const auto entry = env_->router->directory().find(what.id))
    env_->router->directory().remove(entry);
  // A store that fails may work again: for clients that is 503.
  const auto failed = record ? no_such_session() : record.error();
  settle(what.id, failed.code == errc::io ? fail(errc::overloaded, failed.message) : failed);
}

void shard::start(const std::string& id, std::size_t where, persistence::session_record record) {
  const auto entry = env_->router->directory().add(id, record.principal);
  if (entry == nullptr)
    return settle(id, fail(errc::overloaded, "this node has as many sessions as it may have"));
  const auto members = names_->lookup(members_);
  if (!members)
    return settle(id, fail(errc::unavailable, "the session's shard is restarting; try again"));
  const auto start = std::make_shared<const session_start>(session_start{env_, entry, std::move(record)});
  auto* scheduler = otp::asio_scheduler::of(system());
  otp::start_instance message{caf::make_message(start),
                              scheduler != nullptr ? scheduler->unit(where) : nullptr};
  ask(
      *members, start_timeout,
      [this, id, entry](const caf::actor& who) {
        entry->actor_started(who);
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

void shard::look_for_expired() {
  const auto ttl = env_->limits.ttl;
  const auto before = env_->now_ms() - ttl.count();
  for (auto bucket = static_cast<std::uint32_t>(index_); bucket < persistence::bucket_count;
       bucket += static_cast<std::uint32_t>(env_->router->shards()))
    env_->store->expire(bucket, before, expired_at_a_time,
                        [before, self = caf::actor_addr{address()}](result<std::vector<std::string>> found) {
                          if (found && !found->empty())
                            tell(self, sessions_expired{before, std::move(*found)});
                        });
  using std::chrono::milliseconds;
  start_timer(std::clamp<milliseconds>(ttl / 20, milliseconds{100}, milliseconds{60'000}),
              [this] { look_for_expired(); });
}

void shard::expire(const sessions_expired& what) {
  for (const auto& id : what.ids)
    wake(id, index_, [before = what.before_ms](const result<entry_ptr>& found) {
      if (!found)
        return;
      if (const auto who = (*found)->actor())
        caf::anon_send(who, expire_session{before});
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
