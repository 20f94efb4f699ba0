package message

import m "countersign/mail"

func classify(out *m.Message) { out.Kind = m.KindRequest }
