def judge(plan):
    return []
