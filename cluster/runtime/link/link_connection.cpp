#include "cluster/runtime/link/link_connection.hpp"

#include <boost/asio/post.hpp>

namespace cafmcp::cluster {

namespace asio = boost::asio;

link_connection::link_connection(asio::io_context& io, std::unique_ptr<channel> stream,
                                 std::shared_ptr<node_link> link, on_end ended)
    : io_(io), stream_(std::move(stream)), link_(std::move(link)), ended_(std::move(ended)), timer_(io) {}

void link_connection::start(asio::io_context& io, std::unique_ptr<channel> stream,
                            std::shared_ptr<node_link> link, on_end ended) {
  std::shared_ptr<link_connection> me{
      new link_connection(io, std::move(stream), std::move(link), std::move(ended))};
  me->link_->start(me, node_link::clock::now());
  me->tick();
  me->read();
}

void link_connection::wake() {
  asio::post(io_, [me = shared_from_this()] {
    me->link_->run();
    me->write();
  });
}

void link_connection::read() {
  const auto room = link_->space();
  stream_->read_some(asio::buffer(room.data(), room.size()),
                     [me = shared_from_this()](const boost::system::error_code& ec, std::size_t n) {
                       if (me->link_->is_over())
                         return;
                       if (ec)
                         return me->link_->close(make_link_error(link_error::closed, ec.message()));
                       me->link_->filled(n, node_link::clock::now());
                       if (me->link_->is_over())
                         return;
                       me->write();
                       me->read();
                     });
}

void link_connection::write() {
  if (writing_ || !link_->take(flying_))
    return;
  writing_ = true;
  stream_->write(asio::buffer(flying_),
                 [me = shared_from_this()](const boost::system::error_code& ec, std::size_t) {
                   me->writing_ = false;
                   if (me->link_->is_over())
                     return;
                   if (ec)
                     return me->link_->close(make_link_error(link_error::closed, ec.message()));
                   me->write();
                 });
}

void link_connection::tick() {
  timer_.expires_after(link_->bounds().heartbeat);
  timer_.async_wait([me = shared_from_this()](const boost::system::error_code& ec) {
    if (ec || me->link_->is_over())
      return;
    me->link_->tick(node_link::clock::now());
    if (me->link_->is_over())
      return;
    me->write();
    me->tick();
  });
}

void link_connection::went_down(const caf::error& why) {
  timer_.cancel();
  stream_->close();
  if (const auto ended = std::exchange(ended_, {}))
    ended(why);
}

}  // namespace cafmcp::cluster
