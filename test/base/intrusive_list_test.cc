#include "base/intrusive_list.h"

#include <gtest/gtest.h>

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "base/random.h"

namespace sluice {
namespace {

struct Other;

// Stands in two lists at once. Thread: the test's.
struct Item : IntrusiveNode<>, IntrusiveNode<Other> {
  explicit Item(int value) : value(value) {}
  int value;
};

std::string text_of(IntrusiveList<Item>& list) {
  std::string out;
  for (Item* item = list.front(); item != nullptr; item = list.next(*item)) {
    out += std::to_string(item->value);
  }
  return out;
}

TEST(IntrusiveList, PushPopAndOrder) {
  IntrusiveList<Item> list;
  EXPECT_TRUE(list.empty());
  EXPECT_EQ(list.front(), nullptr);
  EXPECT_EQ(list.back(), nullptr);
  EXPECT_EQ(list.pop_front(), nullptr);
  Item one(1);
  Item two(2);
  Item three(3);
  list.push_back(two);
  list.push_back(three);
  list.push_front(one);
  EXPECT_EQ(text_of(list), "123");
  EXPECT_EQ(list.back(), &three);
  EXPECT_EQ(list.pop_front(), &one);
  EXPECT_FALSE(one.IntrusiveNode<>::linked());
  EXPECT_EQ(text_of(list), "23");
}

TEST(IntrusiveList, ADestroyedElementLeaves) {
  IntrusiveList<Item> list;
  Item one(1);
  list.push_back(one);
  {
    Item two(2);
    list.push_back(two);
  }
  EXPECT_EQ(text_of(list), "1");
}

TEST(IntrusiveList, ADestroyedListLeavesItsElements) {
  Item one(1);
  {
    IntrusiveList<Item> list;
    list.push_back(one);
    EXPECT_TRUE(one.IntrusiveNode<>::linked());
  }
  EXPECT_FALSE(one.IntrusiveNode<>::linked());
}

TEST(IntrusiveList, TwoListsByTag) {
  IntrusiveList<Item> list;
  IntrusiveList<Item, Other> other;
  Item one(1);
  list.push_back(one);
  other.push_back(one);
  one.IntrusiveNode<>::unlink();
  EXPECT_TRUE(list.empty());
  EXPECT_EQ(other.front(), &one);
}

TEST(IntrusiveList, Splice) {
  IntrusiveList<Item> list;
  IntrusiveList<Item> more;
  Item one(1);
  Item two(2);
  Item three(3);
  list.splice_back(more);
  EXPECT_TRUE(list.empty());
  list.push_back(one);
  more.push_back(two);
  more.push_back(three);
  list.splice_back(more);
  EXPECT_TRUE(more.empty());
  EXPECT_EQ(text_of(list), "123");
  list.splice_back(more);
  EXPECT_EQ(text_of(list), "123");
  two.IntrusiveNode<>::unlink();
  EXPECT_EQ(text_of(list), "13");
}

TEST(IntrusiveList, AgreesWithADeque) {
  SeededRandom random(3);
  std::vector<std::unique_ptr<Item>> items;
  IntrusiveList<Item> list;
  std::deque<Item*> model;
  for (int i = 0; i < 50; ++i) {
    items.push_back(std::make_unique<Item>(i));
  }
  for (int step = 0; step < 20'000; ++step) {
    Item& item = *items[random.below(items.size())];
    if (item.IntrusiveNode<>::linked()) {
      std::erase(model, &item);
      item.IntrusiveNode<>::unlink();
    } else if (random.below(2) == 0) {
      model.push_back(&item);
      list.push_back(item);
    } else {
      model.push_front(&item);
      list.push_front(item);
    }
    ASSERT_EQ(list.empty(), model.empty());
    ASSERT_EQ(list.front(), model.empty() ? nullptr : model.front());
    ASSERT_EQ(list.back(), model.empty() ? nullptr : model.back());
  }
}

}  // namespace
}  // namespace sluice
