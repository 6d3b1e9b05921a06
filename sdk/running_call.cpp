#include "sdk/running_call.hpp"

#include "base/log.hpp"
#include "mcp/fast_result.hpp"
#include "sdk/render.hpp"

namespace cafmcp::sdk::detail {

namespace {

constexpr std::size_t max_exception_bytes = 4096;

// Of the exception that is being handled.
std::string exception_text() {
  try {
    throw;
  } catch (const std::exception& e) {
    return std::string(std::string_view(e.what()).substr(0, max_exception_bytes));
  } catch (...) {
    return "an exception of unknown type";
  }
}

}  // namespace

thread_local int session_turn::depth_ = 0;

running_call::~running_call() {
  if (request_->finished())
    return;
  if (!request_->cancelled()) {
    fault("its handler ended without an answer");
    return;
  }
  try {
    request_->finish(mcp::finish(request_->call(), mcp::internal_error("the request was cancelled")));
  } catch (const std::exception& e) {
    log::get("sdk").error("a call can't be answered", {{"server", info_->server}, {"why", e.what()}});
  }
}

void running_call::reply(answer what) noexcept {
  if (request_->finished())
    return;
  try {
    request_->finish(render(request_->call(), *info_, std::move(what)));
  } catch (...) {
    reply_exception();
  }
}

void running_call::reply_exception() noexcept {
  try {
    fault(exception_text());
  } catch (...) {
    fault("out of memory");
  }
}

void running_call::fault(std::string_view what) noexcept {
  try {
    log::get("sdk").warn("a handler failed",
                         {{"server", info_->server}, {"handler", info_->label}, {"why", what}});
    const auto& c = request_->call();
    const auto text = info_->label + ": " + std::string(what);
    request_->finish(c.method == mcp::method::tools_call ? mcp::finish_text(c, "Error in " + text, true)
                                                         : mcp::finish(c, mcp::internal_error(text)),
                     true);
  } catch (const std::exception& e) {
    log::get("sdk").error("a call can't be answered", {{"server", info_->server}, {"why", e.what()}});
  }
}

void running_call::run(const std::shared_ptr<running_call>& running, const offer& called) noexcept {
  call handle{running};
  try {
    called.invoke(handle);
  } catch (...) {
    running->reply_exception();
  }
}

}  // namespace cafmcp::sdk::detail
