"""The words of the pages themselves, in Chinese and English."""

from __future__ import annotations

from typing import Any

from cbresearch.records import Text

LANGUAGE_NAMES = {"zh": "中文", "en": "English"}
HTML_LANGUAGES = {"zh": "zh-Hans", "en": "en"}

WORDS = {
    "skip": Text("跳到正文", "Skip to content"),
    "home": Text("全部报告", "All reports"),
    "contents": Text("目录", "On this page"),
    "language": Text("语言", "Language"),
    "code": Text("本节所用程序", "Code for this part"),
    "show_code": Text("显示全部程序", "Show all code"),
    "hide_code": Text("收起全部程序", "Hide all code"),
    "glossary": Text("本页用语", "Words used on this page"),
    "take_csv": Text("下载此表（CSV）", "Download this table (CSV)"),
    "take_xlsx": Text("下载本页全部表格（Excel）", "Download all tables (Excel)"),
    "take_notes": Text("说明", "Notes"),
    "notice": Text("请注意", "Please note"),
    "about": Text("本页由来", "How this page was made"),
    "failed": Text("这份报告没有完成", "This report is not complete"),
    "failed_more": Text(
        "下面是出错之前已经得到的内容，请不要据此下结论。",
        "What follows was worked out before the error. Please draw no conclusions from it.",
    ),
    "advice": Text("怎么办", "What to do"),
    "error": Text("错误信息", "Error message"),
    "trace": Text("出错的位置", "Where it happened"),
    "image": Text("本图没有文字说明", "This picture has no description"),
    "table": Text("表格", "Table"),
    # footer
    "fact_study": Text("研究", "Study"),
    "fact_area": Text("社区", "Community"),
    "fact_waves": Text("调查年份", "Survey waves"),
    "fact_answers": Text("清理后的答卷", "Questionnaires after cleaning"),
    "fact_notebook": Text("笔记本", "Notebook"),
    "fact_parameters": Text("参数", "Parameters"),
    "fact_data": Text("数据指纹", "Fingerprint of the data"),
    "fact_version": Text("程序版本", "Version"),
    "fact_date": Text("生成日期", "Made on"),
    # index
    "index_title": Text("评价报告", "Evaluation reports"),
    "district": Text("全区一览", "The district at a glance"),
    "district_only": Text("报告", "Reports"),
    "areas": Text("各社区报告", "Reports by community"),
    "filter": Text("查找", "Find"),
    "none_found": Text("没有符合的报告", "No report matches"),
    "hits": Text("符合的报告：{n} 份", "{n} found"),
    "all": Text("全部", "All"),
    "filter_part": Text("问题", "Question"),
    "filter_group": Text("街道", "Street"),
    "filter_badge": Text("状态", "Status"),
    "sort": Text("排序", "Order"),
    "order_plan": Text("按地区", "By place"),
    "order_name": Text("按名称", "By name"),
    "compare": Text("两个社区对照", "Two communities side by side"),
    "compare_one": Text("社区甲", "First"),
    "compare_two": Text("社区乙", "Second"),
    "compare_caption": Text(
        "各社区评分卡上公布的数字（最近一次调查，括号内为95%置信区间）",
        "Figures on the communities’ scorecards (last wave; 95% intervals in brackets)",
    ),
    "compare_measure": Text("指标", "Measure"),
    "compare_district": Text("全区", "District"),
    "compare_held": Text("不公布", "not published"),
    "compare_care": Text("慎用", "use with care"),
    "compare_page": Text("评分卡", "scorecard"),
    "compare_note": Text(
        "每个社区只访问了一部分居民。两个区间重叠时，不能说哪个社区更高。台账数字没有区间，但可能有填报误差。",
        "Only some residents were asked in each community. Where two intervals overlap, neither can be called higher. "
        "Ledger figures have no interval, yet may be misreported.",
    ),
    "read_in": Text("阅读", "Read"),
    "status_failed": Text("未完成", "Not complete"),
    "status_stale": Text("数据或程序已变，待更新", "Out of date: data or code changed since"),
    "status_missing": Text("尚未生成", "Not made yet"),
    "counted": Text("份报告", "reports"),
    "other_group": Text("其他", "Other"),
    "files": Text("可供核对的文件", "Files for checking"),
    "file_findings": Text("全部数字（findings.json）", "Every number (findings.json)"),
    "failures_title": Text("未完成的报告", "Reports that are not complete"),
    "failures_link": Text("按原因查看未完成的报告", "Incomplete reports by cause"),
    "file_run": Text("运行记录（run.json）", "Record of the run (run.json)"),
}

ADVICE = {
    "DeadKernelError": Text(
        "运行笔记本的程序中途被系统结束，多半是内存不够。关掉其他程序后再运行一次；如果仍然这样，请减少一次读入的数据。",
        "The program that ran the notebook was ended by the system, most often because memory ran out. "
        "Close other programs and run again; if it happens again, read less data at once.",
    ),
    "WorkerLost": Text(
        "运行这份报告的进程意外结束，其他报告不受影响。请再运行一次；如果仍然这样，请在 JupyterLab 中打开笔记本逐格运行。",
        "The process that made this report ended unexpectedly; other reports are not affected. Run again; "
        "if it happens again, open the notebook in JupyterLab and run it cell by cell.",
    ),
    "CellTimeoutError": Text(
        "笔记本超过了规定的时间。请在 JupyterLab 中打开，找出运行时间最长的一格。",
        "The notebook took longer than allowed. Open it in JupyterLab and find the cell that takes longest.",
    ),
    "ModuleNotFoundError": Text(
        "缺少一个程序包。请安装错误信息中点名的程序包，然后再运行一次。",
        "A package is missing. Install the one that the message names, then run again.",
    ),
    "StudyError": Text(
        "study.toml 或码表有误。运行 cbresearch check，按列出的各条修改。",
        "Something in study.toml or the codebook is wrong. Run cbresearch check and mend what it lists.",
    ),
    "ParameterError": Text(
        "笔记本收到了不能使用的参数。请按错误信息修改参数。",
        "The notebook was given a parameter that it cannot use. Change it as the message says.",
    ),
    "SystemExit": Text(
        "笔记本自己提前结束了。请去掉其中的退出命令。",
        "The notebook ended itself before its last cell. Remove the command that exits.",
    ),
    "": Text(
        "在 JupyterLab 中打开这个笔记本，从头运行到出错的一格；改正后再运行 cbresearch run，其他报告不会重做。",
        "Open the notebook in JupyterLab and run it up to the cell that fails. Mend it, then run "
        "cbresearch run again; reports that are up to date are not made again.",
    ),
}
"""What to do about an error, by its class; the empty name is for every other class."""


def words(language: str) -> dict[str, Any]:
    """All words of a page in one language, by name."""
    return {name: text.say(language) for name, text in WORDS.items()}


def advice(error_class: str, language: str) -> str:
    return ADVICE.get(error_class, ADVICE[""]).say(language)
