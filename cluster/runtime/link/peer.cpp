#include "cluster/runtime/link/peer.hpp"

#include <boost/asio/post.hpp>

#include "base/log.hpp"
#include "cluster/runtime/link/link_connection.hpp"
#include "config/values.hpp"

namespace cafmcp::cluster {

namespace {

log::logger& logger() {
  static auto& instance = log::get("cluster");
  return instance;
}

}  // namespace

peer::peer(caf::actor_config& config, link_environment_ptr environment, std::string node)
    : base_actor(config),
      environment_(std::move(environment)),
      node_(std::move(node)),
      delay_(environment_->manners.first_retry, environment_->manners.longest_retry,
             environment_->self.incarnation ^ std::hash<std::string>{}(node_)),
      since_(node_link::clock::now()) {}

caf::behavior peer::make_behavior() {
  // Whoever started us has a connection at hand; dial only if nothing comes of it.
  dial_later();
  return {
      [this](const candidate_event& e) { on_candidate(e); },
      [this](const link_started& e) { on_started(e.serial); },
      [this](const link_over& e) { on_over(e); },
  };
}

void peer::terminate(const caf::error&) {
  for (const auto& c : {dialling_, proven_, parked_})
    if (c)
      c->drop();
  if (!link_)
    return;
  link_->close_soon(make_link_error(link_error::closed, "this node let go of the link"));
  lose_link(make_link_error(link_error::closed, "this node let go of the link"));
}

void peer::on_candidate(const candidate_event& e) {
  switch (e.what) {
    case candidate::event::proven:
      return settle(e.who);
    case candidate::event::taken:
      return adopt(e.who);
    case candidate::event::failed:
      return on_failed(*e.who);
  }
}

void peer::settle(const std::shared_ptr<candidate>& c) {
  if (!c->arbiter()) {
    proven_ = c;  // the other side decides
    return;
  }
  if (!link_ && !proven_)
    return take(c);
  const bool same_node = c->peer().id == linked_to_.id;
  const bool same_process = c->peer().incarnation == linked_to_.incarnation;
  if (link_ && same_node && !same_process) {
    // It was started anew, so the process that the link goes to is gone.
    link_->close_soon(make_link_error(link_error::superseded, "node " + node_ + " was started anew"));
    return take(c);
  }
  // Both have dialled at once; or the peer knows already that the link is gone, and we don't; or two nodes
  // have one name. Whether the link lives will tell.
  park(c);
}

void peer::take(const std::shared_ptr<candidate>& c) {
  proven_ = c;
  c->take();
}

void peer::park(const std::shared_ptr<candidate>& c) {
  if (parked_)
    parked_->refuse("a newer connection waits");
  parked_ = c;
  judge_parked(node_link::clock::now());
}

void peer::judge_parked(node_link::clock::time_point asked) {
  const auto alive = [&] {
    return std::chrono::nanoseconds{link_->counters().heard_ns.load()} > asked.time_since_epoch();
  };
  if (started_ && alive()) {
    const bool same_node = parked_->peer().id == linked_to_.id;
    parked_->refuse(same_node ? "there is a link already"
                              : "another node is called " + node_ + ": give each a name of its own (--name)");
    parked_ = nullptr;
    return;
  }
  start_timer(environment_->bounds.heartbeat / 4, [this, asked, c = parked_] {
    if (parked_ == c)
      judge_parked(asked);
  });
}

void peer::adopt(const std::shared_ptr<candidate>& c) {
  if (c == dialling_)
    dialling_ = nullptr;
  proven_ = nullptr;
  if (link_) {
    link_->close_soon(make_link_error(link_error::superseded));
    lose_link(make_link_error(link_error::superseded));
  }
  cancel_timer(retry_);
  linked_to_ = c->peer();
  linked_to_.nonce.clear();
  started_ = false;
  const auto serial = ++serial_;
  link_ = std::make_shared<node_link>(*environment_->system, *environment_->types, environment_->resolve,
                                      environment_->bounds, c->terms());
  boost::asio::post(c->io(), [c, link = link_, serial, me = address()] {
    link_connection::start(c->io(), c->release(), link, [me, serial](const caf::error& why) {
      otp::tell(me, link_over{serial, why});
    });
    otp::tell(me, link_started{serial});
  });
}

// Others may use the link only once it is on its socket.
void peer::on_started(std::uint64_t serial) {
  if (serial != serial_ || !link_)
    return;
  started_ = true;
  since_ = node_link::clock::now();
  environment_->directory->change(node_, [&](peer_view& view) {
    view.about = linked_to_;
    view.link = link_;
    view.secure = environment_->tls != nullptr;
    view.since = since_;
    ++view.links;
    view.dials = 0;
    view.nobody_listens = false;
    view.trouble.clear();
  });
  logger().info("link is up", {{"node", node_},
                               {"address", linked_to_.address},
                               {"incarnation", linked_to_.incarnation},
                               {"tls", environment_->tls != nullptr}});
  environment_->directory->publish({node_, linked_to_.incarnation, true, {}});
}

void peer::on_over(const link_over& e) {
  if (e.serial != serial_ || !link_)
    return;
  lose_link(e.why);
  go_on();
}

// Without a link: with the connection that waits, or a new one.
void peer::go_on() {
  if (link_ || proven_)
    return;
  if (const auto next = std::exchange(parked_, nullptr))
    return take(next);
  dial_later();
}

void peer::lose_link(const caf::error& why) {
  const auto now = node_link::clock::now();
  // One that lasted is no sign of trouble.
  if (started_ && now - since_ >= environment_->manners.longest_retry)
    delay_.reset();
  since_ = now;
  link_ = nullptr;
  if (!std::exchange(started_, false))
    return;
  environment_->directory->change(node_, [&](peer_view& view) {
    view.link = nullptr;
    view.since = now;
    view.trouble = otp::describe(why);
  });
  logger().warn("link is down", {{"node", node_}, {"reason", otp::describe(why)}});
  environment_->directory->publish({node_, linked_to_.incarnation, false, why});
}

void peer::on_failed(const candidate& c) {
  if (parked_.get() == &c)
    parked_ = nullptr;
  if (proven_.get() == &c)
    proven_ = nullptr;
  if (dialling_.get() != &c)
    return go_on();
  dialling_ = nullptr;
  environment_->directory->change(node_, [&](peer_view& view) {
    ++view.dials;
    view.nobody_listens = c.refused_by_host();
    if (!view.link)
      view.trouble = c.failure().message;
  });
  go_on();
}

void peer::dial_later() {
  if (link_ || dialling_ || proven_)
    return;
  if (node_link::clock::now() - since_ >= environment_->manners.forget_after) {
    logger().warn("node is given up", {{"node", node_}});
    environment_->directory->forget(node_);
    return quit();
  }
  cancel_timer(retry_);
  retry_ = start_timer(delay_.next(), [this] { dial(); });
}

void peer::dial() {
  if (link_ || dialling_ || proven_)
    return;
  const auto where = config::parse_address(environment_->directory->get(node_).about.address);
  if (!where || where->port == 0)
    return dial_later();
  dialling_ = candidate::dial(environment_, home()->io(), where->host, where->port, node_);
  dialling_->start([me = address()](const std::shared_ptr<candidate>& c, candidate::event what) {
    otp::tell(me, candidate_event{c, what});
  });
}

}  // namespace cafmcp::cluster
