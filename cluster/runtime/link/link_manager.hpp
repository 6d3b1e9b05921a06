#pragma once
// The actor that brings connections and peers together: it has an actor started for each node that proves to
// be one, dials the seeds until each has answered, says in the log who was refused (a line now and then,
// however many they are), and finds actors on other nodes.

#include <caf/typed_response_promise.hpp>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "cluster/runtime/link/link_directory.hpp"
#include "cluster/runtime/link/link_environment.hpp"
#include "cluster/runtime/link/link_messages.hpp"
#include "cluster/runtime/link/retry_delay.hpp"
#include "config/values.hpp"
#include "supervisors/base_actor.hpp"
#include "supervisors/name_table.hpp"

namespace cafmcp::cluster {

/// The actor.
class link_manager final : public otp::base_actor {
 public:
  /// `peers`: the name of the supervisor that has an actor for each peer.
  link_manager(caf::actor_config& config, link_environment_ptr environment,
               std::vector<config::address> seeds, std::shared_ptr<otp::name_table> names, std::string peers);

  const char* name() const override { return "link_manager"; }
  caf::behavior make_behavior() override;

 private:
  struct seed {
    config::address address;
    retry_delay delay;
    std::string node;  // who answered there
    std::shared_ptr<candidate> dialling;
    std::set<std::string> said;  // why it did not answer: each reason once
  };

  void on_candidate(const candidate_event& e);
  void pass_on(const candidate_event& e);
  void bring_up(const std::string& node);
  void hand_over(const std::string& node, const caf::actor& actor);
  void give_up(const std::string& node, const caf::error& why);
  void note_refusal(const candidate& c);
  void watch_certificate();
  void look_after(std::size_t index);
  void on_seed(std::size_t index, const candidate_event& e);
  caf::result<caf::actor> find(const find_remote& what);

  const link_environment_ptr environment_;
  const std::shared_ptr<otp::name_table> names_;
  const std::string supervisor_;
  std::vector<seed> seeds_;
  std::unordered_map<std::string, std::vector<candidate_event>> early_;  // for peers that are being started
  std::uint64_t unsaid_refusals_ = 0;                                    // since the last line
  bool quiet_ = false;                                                   // no line about refusals now
  std::uint64_t last_question_ = 0;
  std::unordered_map<std::uint64_t, caf::typed_response_promise<caf::actor>> questions_;
};

}  // namespace cafmcp::cluster
