#pragma once
// For tests: a server that is there and offers nothing.

#include "actors/server.hpp"

namespace cafmcp::admin::test {

class one_server final : public actors::server {
 public:
  const std::string& name() const noexcept override { return name_; }
  const char* kind() const noexcept override { return "native"; }
  mcp::catalogue_content offers() const override { return {}; }
  void run(actors::request_ptr) override {}
  void watch(std::function<void(actors::server_event)>) override {}

 private:
  std::string name_ = "demo";
};

}  // namespace cafmcp::admin::test
