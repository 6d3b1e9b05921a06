// How a supervisor tells what it looks like. It asks those below it, with a timeout, and never waits.

#include "supervisors/supervisor.hpp"

namespace cafmcp::otp {

tree_node supervisor::describe_child(const child& c) const {
  tree_node node;
  node.id = simple() ? '#' + std::to_string(c.pid) : c.id;
  node.module = c.kind->module;
  node.kind = c.kind->type;
  node.status = to_string(c.status);
  node.restart = c.kind->restart;
  node.restarts = c.restarts;
  if (c.actor) {
    node.pid = c.actor.id();
    if (const auto* actor = dynamic_cast<base_actor*>(caf::actor_cast<caf::abstract_actor*>(c.actor)))
      node.mailbox = actor->mailbox_size();
  }
  return node;
}

caf::result<tree_answer> supervisor::on_inspect(const inspect_tree& what) {
  // The answers of those below are put in as they come; the promise is kept when the last one is here.
  struct pending {
    tree_answer answer;
    std::size_t open = 1;
    caf::typed_response_promise<tree_answer> promise;
    void close() {
      if (--open == 0)
        promise.deliver(std::move(answer));
    }
  };
  auto p = std::make_shared<pending>();
  p->promise = make_response_promise<tree_answer>();
  auto& root = p->answer.root;
  root.id = options_.path.substr(options_.path.rfind('/') + 1);
  root.module = "supervisor";
  root.kind = child_type::supervisor;
  root.status = to_string(stopping_ ? child_status::stopping : child_status::running);
  root.strategy = options_.flags.strategy;
  root.pid = id();
  root.mailbox = mailbox_size();
  root.children_total = children_->size();
  if (what.depth > 0) {
    for (const auto& c : children_->order()) {
      if (root.children.size() >= what.limit)
        break;
      root.children.push_back(describe_child(c));
      if (c.kind->type != child_type::supervisor || !c.actor)
        continue;
      const auto place = root.children.size() - 1;
      ++p->open;
      ask(
          c.actor, what.timeout,
          [p, place](const tree_answer& below) {
            auto& node = p->answer.root.children[place];
            node.strategy = below.root.strategy;
            node.mailbox = below.root.mailbox;
            node.children_total = below.root.children_total;
            node.children = below.root.children;
            p->close();
          },
          [p, place](const caf::error&) {
            p->answer.root.children[place].status = "unresponsive";
            p->close();
          },
          inspect_tree{what.depth - 1, what.limit, what.timeout * 3 / 4});
    }
  }
  auto promise = p->promise;
  p->close();
  return promise;
}

}  // namespace cafmcp::otp
