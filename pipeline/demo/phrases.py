"""The phrases of demo tickets: cues by label and the sentences around them, in six kits.

The label of a ticket follows from its cues only; the other sentences do not depend on it. The
placeholders are `{cue}`, `{day}`, `{name}`, `{number}` and `{count}`.
"""

import dataclasses
from collections.abc import Mapping

LABELS = ("billing", "delivery", "outage", "praise")


@dataclasses.dataclass(frozen=True, kw_only=True)
class PhraseKit:
    """The phrases of one language.

    `share` is the weight with which the kit is chosen; `gap` is the text between two sentences.
    """

    share: float
    openings: tuple[str, ...]
    mentions: tuple[str, ...]  # each with one {cue}
    denials: tuple[str, ...]  # each denies one {cue} of another label
    fillers: tuple[str, ...]
    days: tuple[str, ...]
    names: tuple[str, ...]
    cues: Mapping[str, tuple[str, ...]]
    gap: str = " "


_ENGLISH = PhraseKit(
    share=82,
    openings=("Hello,", "Hi team,", "Good morning,", "Dear support,", "Hey 👋", "To all of you:"),
    mentions=(
        "I am writing about the {cue}.",
        "This is about the {cue} from {day}.",
        "Please note the {cue} in my file.",
        "My colleague {name} already told you of the {cue}.",
        "I would like to talk about the {cue} on order {number}.",
        "What I noticed most was the {cue}.",
        "The {cue} is the reason for this message.",
        "You asked me to describe the {cue} in my own words.",
        "Again it comes down to the {cue}.",
        "Everyone in the office has an opinion on the {cue}.",
        "For the record, the {cue} came up on {day}.",
        "By now we have had the {cue} {count} times.",
    ),
    denials=(
        "To be clear, this is not about the {cue}.",
        "The {cue} is settled, so please ignore it.",
        "Forget the {cue}, that was another matter.",
    ),
    fillers=(
        "I have been a customer for {count} years.",
        "My account number is {number}.",
        "I opened the app on {day} and again this morning.",
        "{name} from your team picked up the phone.",
        "The weather here has been grey all week ☁️.",
        "I am happy to send a picture if that helps.",
        "There is no hurry, but I would like to hear back by {day}.",
        "My order had {count} items and a note for {name}.",
        "The website told me to use this form.",
        "I could not find the right chapter in the help section 🤔.",
        "My neighbor {name} is a member too.",
        "I read the terms twice, and the price list as well.",
        "We run a small shop with {count} people.",
        "Please use this address for your answer.",
        "I was away until {day}, so this comes late.",
        "Feel free to call me after {count} o'clock.",
        "Your last message had the reference {number}.",
        "I like the new color of the app, by the way 🎨.",
        "Thank you for reading this far 🙏.",
        "It says {count} of {count} in the corner, whatever that means.",
        "I asked {name}, who did not know either.",
        "That is all I can say for now.",
        "Somebody should write this down.",
        "Have a good {day} 👩‍💻!",
    ),
    days=("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
    names=("Anna", "Ben", "Chioma", "Dmitri", "Elif", "Farid", "Grace", "Hugo", "Ines", "Jun"),
    cues={
        "billing": (
            "invoice",
            "refund",
            "double charge",
            "direct debit",
            "credit note",
            "sales tax",
            "payment reminder",
            "overcharge",
            "subscription fee",
            "bank transfer",
            "receipt",
            "discount code",
        ),
        "delivery": (
            "parcel",
            "courier",
            "late shipment",
            "tracking status",
            "doorstep drop",
            "missing package",
            "pickup point",
            "dispatch notice",
            "freight truck",
            "damaged carton",
            "customs form",
            "delivery slot",
        ),
        "outage": (
            "crash",
            "login error",
            "server timeout",
            "blank screen",
            "downtime",
            "frozen dashboard",
            "connection loss",
            "gateway failure",
            "sync fault",
            "endless spinner",
            "offline banner",
            "reboot loop",
        ),
        "praise": (
            "brilliant advice",
            "friendly agent",
            "superb quality",
            "lovely gesture",
            "kind reply",
            "perfect timing",
            "great teamwork",
            "delightful surprise",
            "outstanding patience",
            "heartfelt compliment",
            "warm welcome",
            "flawless repair",
        ),
    },
)

_EMOJI = dataclasses.replace(
    _ENGLISH,
    share=4,
    mentions=(
        "In one picture: {cue}.",
        "My mood since {day}: {cue} is all I can say.",
        "You know what I mean {cue} right?",
    ),
    denials=("Not {cue} this time.",),
    cues={
        "billing": ("💳", "🧾", "💶"),
        "delivery": ("📦", "🚚", "📮"),
        "outage": ("🔌", "💥", "🚨"),
        "praise": ("🎉", "💖", "👏"),
    },
)

_GERMAN = PhraseKit(
    share=5,
    openings=("Guten Tag,", "Hallo zusammen,", "Liebes Team,"),
    mentions=(
        "ich schreibe Ihnen, Stichwort {cue}.",
        "Am {day} ging es um {cue}.",
        "Das Thema {cue} beschäftigt uns seit {day}.",
        "Mein Kollege {name} hat {cue} schon erwähnt.",
    ),
    denials=("Um {cue} geht es diesmal nicht.",),
    fillers=(
        "Meine Kundennummer lautet {number}.",
        "Ich bin bis {day} gut zu erreichen.",
        "Das Wetter ist hier übrigens schön.",
        "{name} war am Telefon.",
        "Wir sind ein Büro mit {count} Leuten.",
        "Mehr kann ich dazu gerade nicht sagen.",
    ),
    days=("Montag", "Dienstag", "Mittwoch", "Donnerstag", "Freitag"),
    names=("Anna", "Jörg", "Käthe", "Murat"),
    cues={
        "billing": ("Rechnung", "Lastschrift", "Erstattung", "Mahnung"),
        "delivery": ("Paket", "Lieferung", "Kurier", "Sendung"),
        "outage": ("Ausfall", "Störung", "Absturz", "Serverfehler"),
        "praise": ("Lob", "Dankbarkeit", "Begeisterung", "Freundlichkeit"),
    },
)

_ARABIC = PhraseKit(
    share=3,
    openings=("مرحبا،", "السلام عليكم،", "تحية طيبة،"),
    mentions=(
        "أكتب إليكم بخصوص {cue}.",
        "الموضوع هو {cue} منذ يوم {day}.",
        "ذكر زميلي {name} مسألة {cue} من قبل.",
    ),
    denials=("الموضوع ليس {cue} هذه المرة.",),
    fillers=(
        "رقم حسابي هو {number}.",
        "يمكنكم الاتصال بي حتى يوم {day}.",
        "نحن مكتب صغير من {count} أشخاص.",
        "تحدثت مع {name} على الهاتف.",
        "الجو جميل هنا اليوم.",
    ),
    days=("الاثنين", "الثلاثاء", "الأربعاء", "الخميس"),
    names=("سلمى", "كريم", "ليلى", "يوسف"),
    cues={
        "billing": ("الفاتورة", "الرسوم", "السداد"),
        "delivery": ("الطرد", "الشحنة", "التوصيل"),
        "outage": ("العطل", "الانقطاع", "الخلل"),
        "praise": ("الشكر", "الثناء", "الإعجاب"),
    },
)

_CHINESE = PhraseKit(
    share=3,
    gap="",
    openings=("您好，", "大家好，", "早上好，"),
    mentions=(
        "我想说一下{cue}的事。",
        "{day}我又想到了{cue}。",
        "我的同事{name}也提到了{cue}。",
    ),
    denials=("这次不是{cue}的问题。",),
    fillers=(
        "我的账号是{number}。",
        "{day}之前都可以联系我。",
        "我们办公室有{count}个人。",
        "今天这里天气很晴朗☀️。",
        "我在网站上找到了这个表格。",
    ),
    days=("星期一", "星期二", "星期三", "星期四"),
    names=("小明", "王芳", "李雷"),
    cues={
        "billing": ("发票", "退款", "扣费"),
        "delivery": ("快递", "包裹", "物流"),
        "outage": ("故障", "崩溃", "宕机"),
        "praise": ("表扬", "赞美", "感激"),
    },
)

_THAI = PhraseKit(
    share=3,
    openings=("สวัสดีครับ", "สวัสดีค่ะ", "เรียนทีมงาน"),
    mentions=(
        "ขอแจ้งเรื่อง{cue}",
        "เมื่อวัน{day}มีเรื่อง{cue}",
        "คุณ{name}พูดถึง{cue}แล้ว",
    ),
    denials=("ครั้งนี้ไม่ใช่เรื่อง{cue}",),
    fillers=(
        "หมายเลขลูกค้าคือ {number}",
        "ติดต่อได้ถึงวัน{day}",
        "ที่นี่มีคนทำงาน {count} คน",
        "วันนี้อากาศดีมาก",
    ),
    days=("จันทร์", "อังคาร", "พุธ", "ศุกร์"),
    names=("สมชาย", "มาลี", "อนันต์"),
    cues={
        "billing": ("ใบเสร็จ", "คืนเงิน", "ค่าปรับ"),
        "delivery": ("พัสดุ", "ขนส่ง", "ไปรษณีย์"),
        "outage": ("ระบบล่ม", "ขัดข้อง", "เน็ตหลุด"),
        "praise": ("คำชม", "ขอบคุณ", "ประทับใจ"),
    },
)

KITS = (_ENGLISH, _EMOJI, _GERMAN, _ARABIC, _CHINESE, _THAI)
