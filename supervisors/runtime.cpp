#include "supervisors/runtime.hpp"

#include <array>
#include <caf/all.hpp>
#include <caf/detail/get_root_uuid.hpp>
#include <cstdio>
#include <random>
#include <string>
#include <thread>

namespace cafmcp::otp {

runtime::runtime(const runtime_options& options) : pool_(options.threads), config_(pool_) {
  config_.throughput = options.throughput;
  system_ = std::make_unique<caf::actor_system>(config_);
}

runtime::~runtime() {
  system_.reset();
  pool_.stop();
}

std::size_t runtime::await_actors(std::chrono::milliseconds timeout) {
  // CAF has no bounded wait for this, and the end of the last actor is nobody's event: look now and then.
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  auto& registry = system_->registry();
  while (registry.running() > 0 && std::chrono::steady_clock::now() < deadline)
    std::this_thread::sleep_for(std::chrono::milliseconds{1});
  return registry.running();
}

}  // namespace cafmcp::otp

// CAF derives its node ids from MAC addresses and the process id, which repeat in containers. libcaf_core
// calls this function through the dynamic linker, so the definition here takes its place: 160 random bits for
// each start.
namespace caf::detail {

std::string get_root_uuid() {
  std::random_device random;
  std::string id;
  for (int i = 0; i < 5; ++i) {
    std::array<char, 9> word{};
    std::snprintf(word.data(), word.size(), "%08x", static_cast<unsigned>(random()));
    id += word.data();
  }
  return id;
}

}  // namespace caf::detail
