// A doubly linked list whose links live in its elements: no allocation, removal in O(1) by the element itself.
#pragma once

#include "base/check.h"

namespace sluice {

// Derive (once per list, told apart by Tag) to be able to stand in an IntrusiveList<T, Tag>. Unlinks itself when
// destroyed. Thread: its owner's.
template <typename Tag = void>
class IntrusiveNode {
 public:
  IntrusiveNode() = default;
  IntrusiveNode(const IntrusiveNode&) = delete;
  IntrusiveNode& operator=(const IntrusiveNode&) = delete;
  ~IntrusiveNode() { unlink(); }

  bool linked() const { return next_ != nullptr; }
  void unlink() {
    if (next_ != nullptr) {
      previous_->next_ = next_;
      next_->previous_ = previous_;
      next_ = previous_ = nullptr;
    }
  }

 private:
  template <typename T, typename OtherTag>
  friend class IntrusiveList;
  IntrusiveNode* next_ = nullptr;
  IntrusiveNode* previous_ = nullptr;
};

// Does not own its elements. Thread: its owner's.
template <typename T, typename Tag = void>
class IntrusiveList {
  using Node = IntrusiveNode<Tag>;

 public:
  IntrusiveList() { head_.next_ = head_.previous_ = &head_; }
  IntrusiveList(const IntrusiveList&) = delete;
  IntrusiveList& operator=(const IntrusiveList&) = delete;
  ~IntrusiveList() {
    while (!empty()) {
      head_.next_->unlink();
    }
    head_.next_ = head_.previous_ = nullptr;
  }

  bool empty() const { return head_.next_ == &head_; }
  T* front() { return empty() ? nullptr : cast(head_.next_); }
  T* back() { return empty() ? nullptr : cast(head_.previous_); }
  // The element after `element`, or null at the end.
  T* next(T& element) {
    Node* node = static_cast<Node&>(element).next_;
    return node == &head_ ? nullptr : cast(node);
  }

  void push_back(T& element) { insert(*head_.previous_, head_, element); }
  void push_front(T& element) { insert(head_, *head_.next_, element); }
  T* pop_front() {
    T* element = front();
    if (element != nullptr) {
      static_cast<Node*>(element)->unlink();
    }
    return element;
  }
  // Moves all elements of `other` behind ours.
  void splice_back(IntrusiveList& other) {
    if (other.empty()) {
      return;
    }
    Node* first = other.head_.next_;
    Node* last = other.head_.previous_;
    other.head_.next_ = other.head_.previous_ = &other.head_;
    first->previous_ = head_.previous_;
    head_.previous_->next_ = first;
    last->next_ = &head_;
    head_.previous_ = last;
  }

 private:
  static T* cast(Node* node) { return static_cast<T*>(node); }
  void insert(Node& before, Node& after, T& element) {
    Node& node = element;
    SLUICE_DCHECK(!node.linked());
    node.previous_ = &before;
    node.next_ = &after;
    before.next_ = &node;
    after.previous_ = &node;
  }

  Node head_;
};

}  // namespace sluice
