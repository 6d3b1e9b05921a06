#include "supervisors/wheel_clock.hpp"

#include <boost/asio/post.hpp>
#include <caf/all.hpp>
#include <list>

namespace cafmcp::otp {

// One timeout or delayed message. `owner` is set for timeouts only: they end with their actor.
struct wheel_clock::entry final : timer_entry {
  enum class kind : std::uint8_t { ordinary, multi, request, message };

  entry(kind k, caf::strong_actor_ptr a) : what(k), actor(std::move(a)) {}

  void on_timer() override;

  kind what;
  caf::strong_actor_ptr actor;
  caf::atom_value type{};
  std::uint64_t id = 0;
  caf::message_id mid;
  caf::mailbox_element_ptr content;
  table* home = nullptr;
  std::list<std::unique_ptr<entry>>::iterator place;
};

// The entries of one context, by actor.
struct wheel_clock::table {
  using entry_list = std::list<std::unique_ptr<entry>>;

  // Takes an entry out; the caller decides when it dies.
  std::unique_ptr<entry> take(entry& e) {
    const auto bucket = by_actor.find(e.actor.get());
    auto owned = std::move(*e.place);
    bucket->second.erase(e.place);
    if (bucket->second.empty())
      by_actor.erase(bucket);
    return owned;
  }

  template <class Predicate>
  void cancel(caf::abstract_actor* self, Predicate matches) {
    const auto bucket = by_actor.find(self->ctrl());
    if (bucket == by_actor.end())
      return;
    entry_list dead;  // dropping the last reference to an actor from within would come back here
    for (auto i = bucket->second.begin(); i != bucket->second.end();) {
      const auto here = i++;
      if (matches(**here)) {
        (*here)->cancel();
        dead.splice(dead.end(), bucket->second, here);
      }
    }
    if (bucket->second.empty())
      by_actor.erase(bucket);
  }

  std::unordered_map<caf::actor_control_block*, entry_list> by_actor;
};

void wheel_clock::entry::on_timer() {
  const auto self = home->take(*this);
  switch (what) {
    case kind::ordinary:
    case kind::multi:
      actor->get()->eq_impl(caf::make_message_id(), actor, nullptr, caf::timeout_msg{type, id});
      break;
    case kind::request:
      actor->get()->eq_impl(mid, actor, nullptr, caf::make_error(caf::sec::request_timeout));
      break;
    case kind::message:
      actor->enqueue(std::move(content), nullptr);
      break;
  }
}

wheel_clock::wheel_clock(io_pool& pool) : pool_(pool) {
  for (std::size_t i = 0; i < pool.size(); ++i)
    tables_.push_back(std::make_unique<table>());
}

wheel_clock::~wheel_clock() = default;

void wheel_clock::add(time_point when, std::unique_ptr<entry> what) {
  const auto here = pool_.current();
  if (here == io_pool::none) {
    boost::asio::post(pool_.context(0),
                      [this, when, e = std::move(what)]() mutable { add(when, std::move(e)); });
    return;
  }
  auto& home = *tables_[here];
  auto& list = home.by_actor[what->actor.get()];
  what->home = &home;
  list.push_back(std::move(what));
  auto& e = *list.back();
  e.place = std::prev(list.end());
  pool_.timers(here).schedule(e, when);
}

void wheel_clock::set_ordinary_timeout(time_point when, caf::abstract_actor* self, caf::atom_value type,
                                       std::uint64_t id) {
  cancel_ordinary_timeout(self, type);
  auto e = std::make_unique<entry>(entry::kind::ordinary, caf::strong_actor_ptr{self->ctrl()});
  e->type = type;
  e->id = id;
  add(when, std::move(e));
}

void wheel_clock::set_multi_timeout(time_point when, caf::abstract_actor* self, caf::atom_value type,
                                    std::uint64_t id) {
  auto e = std::make_unique<entry>(entry::kind::multi, caf::strong_actor_ptr{self->ctrl()});
  e->type = type;
  e->id = id;
  add(when, std::move(e));
}

void wheel_clock::set_request_timeout(time_point when, caf::abstract_actor* self, caf::message_id id) {
  auto e = std::make_unique<entry>(entry::kind::request, caf::strong_actor_ptr{self->ctrl()});
  e->mid = id;
  add(when, std::move(e));
}

void wheel_clock::cancel_ordinary_timeout(caf::abstract_actor* self, caf::atom_value type) {
  if (const auto here = pool_.current(); here != io_pool::none)
    tables_[here]->cancel(self,
                          [&](const entry& e) { return e.what == entry::kind::ordinary && e.type == type; });
}

void wheel_clock::cancel_request_timeout(caf::abstract_actor* self, caf::message_id id) {
  if (const auto here = pool_.current(); here != io_pool::none)
    tables_[here]->cancel(self,
                          [&](const entry& e) { return e.what == entry::kind::request && e.mid == id; });
}

void wheel_clock::cancel_timeouts(caf::abstract_actor* self) {
  if (const auto here = pool_.current(); here != io_pool::none)
    tables_[here]->cancel(self, [](const entry& e) { return e.what != entry::kind::message; });
}

void wheel_clock::schedule_message(time_point when, caf::strong_actor_ptr receiver,
                                   caf::mailbox_element_ptr content) {
  if (!receiver || !content)
    return;
  auto e = std::make_unique<entry>(entry::kind::message, std::move(receiver));
  e->content = std::move(content);
  add(when, std::move(e));
}

void wheel_clock::schedule_message(time_point, caf::group, caf::strong_actor_ptr, caf::message) {
  // Groups are not used here: they have neither bounds nor supervision.
}

void wheel_clock::cancel_all() {
  pool_.run_on_each([this](std::size_t i) {
    decltype(table::by_actor) dead;
    dead.swap(tables_[i]->by_actor);
  });
}

}  // namespace cafmcp::otp
