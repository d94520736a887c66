// When an outbox writes: at the end of a dispatch, or, for a connection of many streams, of the loop turn.
#include "net/outbox.h"

#include <gtest/gtest.h>

#include <string>

#include "base/owner.h"

namespace sluice::net {
namespace {

// Takes up to `capacity` bytes, and counts.
class CountingPipe final : public Transport {
 public:
  void set_handler(TransportHandler*) override {}
  IoResult read(ReadLease&, size_t, buffer::Buffer&) override { return {IoStatus::kAgain}; }
  IoResult write(buffer::Buffer& from) override {
    ++writes;
    const size_t size = std::min(capacity - bytes.size(), from.size());
    bytes += from.to_string().substr(0, size);
    from.drain(size);
    return {size > 0 ? IoStatus::kOk : IoStatus::kAgain, size};
  }
  void want_read(bool) override {}
  void want_write(bool on) override { wants_write = on; }
  void shutdown_write() override {}
  void close(CloseHow) override {}
  bool closed() const override { return false; }
  const Address& local() const override { return address_; }
  const Address& remote() const override { return address_; }
  std::string_view failure() const override { return {}; }

  std::string bytes;
  size_t capacity = SIZE_MAX;
  int writes = 0;
  bool wants_write = false;

 private:
  Address address_ = *Address::from_ip("127.0.0.1", 1);
};

class OutboxTest : public testing::Test, protected OutboxOwner {
 protected:
  OutboxTest() { outbox.attach(&pipe); }
  void on_sent(size_t count) override { sent += count; }
  void on_send_failed() override {}
  void on_full(bool) override {}
  // What one dispatch adds.
  void add(std::string_view text) {
    outbox.bytes().append_borrowed(text);
    outbox.gather();
    queue.flush_all();
  }

  Owner owner{"test"};
  buffer::SlabPool slabs{owner};
  FlushQueue queue;
  CountingPipe pipe;
  Outbox outbox{queue, slabs, 0, *this};
  size_t sent = 0;
};

TEST_F(OutboxTest, WhatIsScheduledLeavesWithItsDispatch) {
  outbox.bytes().append_borrowed("a");
  outbox.schedule();
  queue.flush_all();
  EXPECT_EQ(pipe.bytes, "a");
}

TEST_F(OutboxTest, LittleOfSeveralDispatchesLeavesAtOnceWithTheTurn) {
  for (int i = 0; i < 25; ++i) {
    std::string text(400, static_cast<char>('a' + i));  // gone with its dispatch
    add(text);
    EXPECT_EQ(pipe.writes, 0);
  }
  queue.flush_turn();
  EXPECT_EQ(pipe.writes, 1);
  ASSERT_EQ(pipe.bytes.size(), 10'000u);
  EXPECT_EQ(pipe.bytes.substr(9'600), std::string(400, 'y'));
  EXPECT_EQ(sent, 10'000u);
  queue.flush_turn();
  EXPECT_EQ(pipe.writes, 1);
}

TEST_F(OutboxTest, MuchLeavesWithItsDispatch) {
  add(std::string(16 * 1024 - 1, 'a'));
  EXPECT_EQ(pipe.writes, 0);
  add("b");
  EXPECT_EQ(pipe.writes, 1);
  EXPECT_EQ(pipe.bytes.size(), 16u * 1024);
  queue.flush_turn();
  EXPECT_EQ(pipe.writes, 1);
}

TEST_F(OutboxTest, WhatIsScheduledAfterwardsTakesWhatWasGathered) {
  add("a");
  outbox.on_writable();
  EXPECT_EQ(pipe.bytes, "a");
  add("b");
  pipe.capacity = 1;
  queue.flush_turn();
  EXPECT_TRUE(pipe.wants_write);
  EXPECT_EQ(outbox.size(), 1u);
  add("c");
  queue.flush_turn();
  pipe.capacity = SIZE_MAX;
  outbox.on_writable();
  EXPECT_EQ(pipe.bytes, "abc");
}

TEST_F(OutboxTest, WhatIsAbandonedIsNotWritten) {
  add("a");
  outbox.abandon();
  queue.flush_turn();
  EXPECT_EQ(pipe.writes, 0);
  EXPECT_TRUE(outbox.empty());
}

}  // namespace
}  // namespace sluice::net
