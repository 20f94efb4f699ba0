// Package arch holds the rules that the whole repository keeps, as tests; it has no other code.
//
// Who may import whom (import_test.go), who may touch networks, programs and private keys (reach_test.go), how long
// files and functions may be (size_test.go), that every text shown exists and every text that exists is shown
// (text_test.go), and that documents name what is there (document_test.go). A rule that has to give way is changed
// here, with its reason, in the commit that needs it. Start reading at tree in tree_test.go.
package arch
