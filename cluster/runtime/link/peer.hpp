#pragma once
// The actor that stands for another node: keeps a link to it. It dials while there is none, and decides which
// connection becomes the link if it is the arbiter of the two. When it ends, so does its link; its successor
// dials anew.

#include <memory>
#include <string>

#include "cluster/runtime/link/link_directory.hpp"
#include "cluster/runtime/link/link_environment.hpp"
#include "cluster/runtime/link/link_messages.hpp"
#include "cluster/runtime/link/retry_delay.hpp"
#include "supervisors/base_actor.hpp"

namespace cafmcp::cluster {

/// The actor.
class peer final : public otp::base_actor {
 public:
  /// Where it is, the directory knows.
  peer(caf::actor_config& config, link_environment_ptr environment, std::string node);

  const char* name() const override { return "peer"; }
  caf::behavior make_behavior() override;

 protected:
  void terminate(const caf::error& reason) override;

 private:
  void on_candidate(const candidate_event& e);
  void settle(const std::shared_ptr<candidate>& c);
  void take(const std::shared_ptr<candidate>& c);
  void park(const std::shared_ptr<candidate>& c);
  void judge_parked(node_link::clock::time_point asked);
  void adopt(const std::shared_ptr<candidate>& c);
  void on_started(std::uint64_t serial);
  void on_over(const link_over& e);
  void go_on();
  void lose_link(const caf::error& why);
  void on_failed(const candidate& c);
  void dial();
  void dial_later();

  const link_environment_ptr environment_;
  const std::string node_;
  retry_delay delay_;
  std::shared_ptr<node_link> link_;      // from the moment of its choice
  bool started_ = false;                 // it is on its socket, and published
  hello linked_to_;                      // whom it goes to
  std::uint64_t serial_ = 0;             // of the link
  node_link::clock::time_point since_;   // of the link, or of its end
  std::shared_ptr<candidate> dialling_;
  std::shared_ptr<candidate> proven_;    // will be the link, as far as we know
  std::shared_ptr<candidate> parked_;    // may become it if that one comes to nothing, or the link is over
  otp::timer_id retry_ = 0;
};

}  // namespace cafmcp::cluster
