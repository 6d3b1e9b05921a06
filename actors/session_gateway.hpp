#pragma once
// Sessions, as transports see them: `transport::gateway` over router and shards. The usual lookup is one in
// the directory, without a message; shards are asked only for sessions that have no actor. Thread-safe.

#include <memory>

#include "actors/session_environment.hpp"
#include "supervisors/runtime.hpp"
#include "transport/gateway.hpp"

namespace cafmcp::actors {

/// The gateway.
class session_gateway final : public transport::gateway {
 public:
  /// `runtime` outlives the gateway's use.
  session_gateway(otp::runtime& runtime, environment_ptr environment)
      : runtime_(runtime), env_(std::move(environment)) {}

  boost::asio::awaitable<result<std::shared_ptr<transport::session_port>>> create(
      transport::session_request request) override;
  boost::asio::awaitable<result<std::shared_ptr<transport::session_port>>> find(
      transport::session_request request) override;

 private:
  template <class Message>
  boost::asio::awaitable<result<entry_ptr>> ask_shard(Message message);

  otp::runtime& runtime_;
  const environment_ptr env_;
};

}  // namespace cafmcp::actors
