// The actors that a link has shown to the peer, and those that the peer has shown to us.

#include "cluster/runtime/link/node_link.hpp"
#include "cluster/runtime/link/remote_proxy.hpp"

namespace cafmcp::cluster {

// Sits on an actor that was shown to the peer, and says when it has ended.
struct node_link::end_watch final : caf::attachable {
  end_watch(std::weak_ptr<node_link> l, std::uint64_t export_id) : link(std::move(l)), id(export_id) {}

  void actor_exited(const caf::error& reason, caf::execution_unit*) override {
    if (const auto to = link.lock())
      to->post(export_ended{id, reason});
  }
  bool matches(const token& what) override { return what.subtype == token::anonymous && what.ptr == this; }

  std::weak_ptr<node_link> link;
  std::uint64_t id;
};

// The id under which the peer knows `who`; counted, because the peer gives the count back when it lets go.
// 0 if there are too many: the actor can't be answered then.
std::uint64_t node_link::export_actor(const caf::strong_actor_ptr& who) {
  if (const auto known = export_ids_.find(who.get()); known != export_ids_.end()) {
    ++exports_.find(known->second)->sent;
    return known->second;
  }
  const auto id = exports_.insert({who, nullptr, 1, 0, nullptr});
  if (id == 0) {
    ++counters_.refused;
    return 0;
  }
  auto& entry = *exports_.find(id);
  entry.meter = std::make_shared<credit_meter>(weak_from_this(), id, bounds_.actor_bytes);
  export_ids_.emplace(who.get(), id);
  counters_.exports = static_cast<std::uint32_t>(exports_.size());
  auto watch = std::make_unique<end_watch>(weak_from_this(), id);
  entry.watch = watch.get();
  who->get()->attach(caf::attachable_ptr{watch.release()});
  return id;
}

void node_link::forget_export(std::uint64_t id) {
  auto& entry = *exports_.find(id);
  const auto actor = std::move(entry.actor);
  const auto* watch = entry.watch;
  export_ids_.erase(actor.get());
  exports_.erase(id);
  counters_.exports = static_cast<std::uint32_t>(exports_.size());
  actor->get()->detach(caf::attachable::token{caf::attachable::token::anonymous, watch});
}

node_link::import_entry* node_link::find_import(std::uint64_t id) noexcept {
  const auto index = static_cast<std::size_t>(id & slot_mask);
  if (index >= imports_.size() || !imports_[index] || imports_[index]->id != id)
    return nullptr;
  return imports_[index].get();
}

// A handle for the peer's actor with that id; null if the id can't be.
caf::strong_actor_ptr node_link::import_actor(std::uint64_t id) {
  const auto index = static_cast<std::size_t>(id & slot_mask);
  if (index >= bounds_.handles || id > caf::message_id::request_id_mask)
    return nullptr;
  if (index >= imports_.size())
    imports_.resize(index + 1);
  auto& entry = imports_[index];
  if (entry && entry->id != id)
    return nullptr;  // the peer gives a slot away only after both sides have forgotten it
  if (!entry) {
    entry = std::make_unique<import_entry>();
    entry->id = id;
    entry->room = static_cast<std::int64_t>(terms_.actor_bytes);
    counters_.imports = static_cast<std::uint32_t>(++import_count_);
  }
  ++entry->received;
  if (auto there = caf::actor_cast<caf::strong_actor_ptr>(entry->proxy))
    return there;
  entry->unheld = false;
  entry->serial = ++last_serial_;
  caf::actor_config config;
  auto made = caf::make_actor<remote_proxy, caf::strong_actor_ptr>(id, peer_node_, &system_, config,
                                                                   shared_from_this(), entry->serial);
  entry->proxy = caf::actor_cast<caf::weak_actor_ptr>(made);
  return made;
}

void node_link::forget_import(import_entry& entry) {
  for (const auto& w : entry.queue)
    backlog_.release(w.size() + backlog::message_bytes);
  imports_[static_cast<std::size_t>(entry.id & slot_mask)].reset();
  counters_.imports = static_cast<std::uint32_t>(--import_count_);
}

void node_link::on_handle_released(const handle_released& what) {
  auto* entry = find_import(what.id);
  if (entry == nullptr || entry->serial != what.serial)
    return;  // there is a newer handle
  entry->unheld = true;
  if (entry->queue.empty())
    send_release(*entry);
}

void node_link::kill_handles(const caf::error& why) {
  auto imports = std::exchange(imports_, {});
  import_count_ = 0;
  counters_.imports = 0;
  for (const auto& entry : imports) {
    const auto proxy = entry ? caf::actor_cast<caf::strong_actor_ptr>(entry->proxy) : nullptr;
    if (entry)
      for (const auto& w : entry->queue)
        backlog_.release(w.size() + backlog::message_bytes);
    if (proxy)
      static_cast<caf::actor_proxy*>(proxy->get())->kill_proxy(nullptr, why);
  }
  std::vector<std::uint64_t> exported;
  exports_.for_each([&](std::uint64_t id, export_entry&) { exported.push_back(id); });
  for (const auto id : exported)
    forget_export(id);
}

}  // namespace cafmcp::cluster
