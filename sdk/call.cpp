#include "sdk/call.hpp"

#include "sdk/running_call.hpp"

namespace cafmcp::sdk {

const json& call::arguments() const noexcept {
  return running_->arguments();
}

std::string_view call::raw_arguments() const noexcept {
  return running_->request().call().arguments;
}

const std::string& call::name() const noexcept {
  return running_->request().call().name;
}

json call::context() const {
  auto value = json::parse(running_->request().call().context, nullptr, false);
  return value.is_object() ? std::move(value) : json::object();
}

std::string_view call::raw_meta() const noexcept {
  return running_->request().call().meta;
}

const std::string& call::session() const noexcept {
  return running_->request().session().handle;
}

std::uint64_t call::generation() const noexcept {
  return running_->request().session().generation;
}

std::string_view call::raw_client_info() const noexcept {
  return running_->request().session().client_info;
}

mcp::revision call::version() const noexcept {
  return running_->request().call().version;
}

const actors::node_identity& call::node() const noexcept {
  return running_->request().node();
}

void call::progress(double value, std::optional<double> total, std::string message) const {
  running_->request().progress(value, total, std::move(message));
}

void call::log(mcp::log_level level, const json& data, std::string logger) const {
  running_->request().log(level, logger.empty() ? running_->info().server : std::move(logger),
                          data.dump(-1, ' ', false, json::error_handler_t::replace));
}

bool call::cancelled() const noexcept {
  return running_->request().cancelled();
}

void call::on_cancel(std::function<void()> f) const {
  running_->request().on_cancel(std::move(f));
}

void call::reply(answer what) const {
  running_->reply(std::move(what));
}

bool call::answered() const noexcept {
  return running_->request().finished();
}

}  // namespace cafmcp::sdk
