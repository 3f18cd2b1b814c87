/// Units of measure: a line a dimension, members with the factor to its base unit. A star marks names that are too
/// short to be units anywhere but behind a number, a tilde a dimension that says how long an answer is to be.
enum Units {
    static let all = """
        meter, metre, *m, 米, 公尺 = 1 | kilometer, kilometre, km, 公里, 千米 = 1000 | centimeter, centimetre, *cm, 厘米, 公分 = 0.01 | millimeter, millimetre, *mm, 毫米 = 0.001 | mile, *mi, 英里 = 1609.344 | yard, *yd, 码 = 0.9144 | foot, feet, *ft, 英尺 = 0.3048 | inch, 英寸, 寸 = 0.0254 | nautical mile, 海里 = 1852 | *里, 华里, 市里 = 500 | *尺, 市尺 = 0.33333 | *丈 = 3.3333 | light year, 光年 = 9.4607e15 | nanometer, nanometre, *nm, 纳米 = 1e-9 | micrometer, micron, 微米 = 1e-6 | furlong = 201.168 | fathom = 1.8288 | astronomical unit, 天文单位 = 1.495979e11
        gram, gramme, *g, 克 = 1 | kilogram, kilo, kilogramme, kg, 公斤, 千克 = 1000 | milligram, mg, 毫克 = 0.001 | microgram, mcg, 微克 = 1e-6 | pound, lb, lbs, 磅 = 453.59237 | ounce, *oz, 盎司 = 28.349523 | *斤, 市斤 = 500 | *两, 市两 = 50 | ton, tonne, 吨 = 1000000 | *stone = 6350.29 | carat, 克拉 = 0.2
        liter, litre, *l, 升, 公升 = 1 | milliliter, millilitre, ml, 毫升 = 0.001 | gallon, 加仑 = 3.785412 | pint, 品脱 = 0.473176 | quart, 夸脱 = 0.946353 | cup = 0.236588 | tablespoon, tbsp, 汤匙 = 0.0147868 | teaspoon, tsp, 茶匙 = 0.00492892 | fluid ounce, fl oz = 0.0295735 | barrel = 158.987 | cubic meter, cubic metre, 立方米 = 1000 | cubic foot, cubic feet, 立方英尺 = 28.3168 | cubic centimeter, cubic centimetre, 立方厘米 = 0.001
        *s, sec, secs, seconds, 秒, 秒钟 = 1 | minute, mins, *min, 分钟 = 60 | hour, hourly, hr, hrs, *h, 小时, 钟头 = 3600 | day, daily, *天, *日, 每天, 每日 = 86400 | week, weekly, *周, 星期, 礼拜, 每周 = 604800 | fortnight = 1209600 | month, monthly, *月, 个月, 每月 = 2629746 | quarterly, 季度 = 7889238 | year, yearly, annual, annually, *年, 每年, *yr, *yrs, 岁 = 31556952 | decade = 315569520 | century, centuries, 世纪 = 3155695200 | millisecond, *ms, 毫秒 = 0.001 | microsecond, 微秒 = 1e-6 | nanosecond, *ns, 纳秒 = 1e-9
        celsius, centigrade, degrees celsius, degree celsius, ℃, °c, degrees c, degree c, deg c, 摄氏, 摄氏度 | fahrenheit, degrees fahrenheit, degree fahrenheit, ℉, °f, degrees f, degree f, deg f, 华氏, 华氏度 | kelvin, 开尔文, 开氏度 | *度, degree, ° | rankine
        dollar, usd, us dollar, $, 美元, 美金, 美刀 | euro, euros, eur, €, 欧元 | pound sterling, gbp, £, 英镑 | yen, jpy, 日元, 日圆 | yuan, rmb, cny, renminbi, ¥, 人民币, *元, *块, *块钱 | rupee, inr, ₹, 卢比 | krw, ₩, 韩元, 韩币 | ruble, 卢布 | franc, chf, 瑞士法郎 | cent | *角, *毛 | *分 | bitcoin, btc, 比特币 | peso, 比索 | hong kong dollar, hkd, 港币, 港元 | australian dollar, aud, 澳元 | canadian dollar, cad, 加元 | baht, 泰铢 | brl, reais | lira, 里拉 | krona, krone, kronor, 克朗 | singapore dollar, sgd, 新加坡元, 新币 | taiwan dollar, twd, 新台币, 台币 | ringgit | dirham | shekel | ethereum, eth, 以太坊
        byte, 字节 = 1 | kilobyte, kb = 1000 | megabyte, mb, 兆 = 1e6 | gigabyte, gb = 1e9 | terabyte, tb = 1e12 | petabyte, pb = 1e15 | bit, 比特 = 0.125 | kib, kibibyte = 1024 | mib, mebibyte = 1048576 | gib, gibibyte = 1073741824 | mbps, megabit, mbit = 1.25e5 | gbps, gigabit, gbit = 1.25e8 | kbit, kilobit = 125
        mph, miles per hour, 英里每小时 = 1.609344 | kph, kmh, km/h, kilometers per hour, kilometres per hour, 公里每小时, 千米每小时, 时速 = 1 | knot, 节 = 1.852 | meters per second, metres per second, 米每秒 = 3.6 | mach, 马赫
        joule, 焦耳 = 1 | calorie, kilocalorie, kcal, *cal, *卡, 卡路里, 千卡, 大卡 = 4184 | kilojoule, kj, 千焦 = 1000 | kilowatt hour, kwh, 千瓦时, 度电 = 3600000 | btu = 1055.06 | electronvolt, 电子伏特 = 1.602e-19
        watt, *w, 瓦, 瓦特 = 1 | kilowatt, kw, 千瓦 = 1000 | megawatt, mw, 兆瓦 = 1e6 | horsepower, hp, 马力 = 745.7
        volt, *v, 伏, 伏特 | ampere, amp, 安培 | ohm, 欧姆 | milliamp, 毫安 | farad, 法拉第 | coulomb, 库仑
        pascal, 帕斯卡 = 1 | *bar = 100000 | psi = 6894.76 | atmosphere, atm, 大气压 = 101325 | mmhg, 毫米汞柱 = 133.322 | kpa, kilopascal, 千帕 = 1000 | mpa, megapascal, 兆帕 = 1e6 | torr = 133.322
        acre, 英亩 = 4046.86 | hectare, 公顷 = 10000 | square meter, square metre, sqm, 平方米, 平米, 平方 = 1 | square foot, square feet, sqft, 平方英尺 = 0.092903 | square kilometer, square kilometre, 平方公里 = 1e6 | square mile, 平方英里 = 2589988 | *亩 = 666.667 | square inch = 0.00064516 | square centimeter, 平方厘米 = 0.0001
        ~ *word, *字, *词 | *sentence, *句, *句话 | *paragraph, *段, *段话 | *page, *页 | *character, *字符 | *line, *行 | *chapter, *章 | *stanza | *bullet, *bullet point, *要点 | *slide | *token
        %, percent, per cent, percentage, pct, 百分之
        *newton, 牛顿 = 1 | dyne | pound force
        hertz, hz, 赫兹 = 1 | khz, kilohertz, 千赫 = 1000 | mhz, megahertz, 兆赫 = 1e6 | ghz, gigahertz = 1e9 | rpm
        radian, 弧度
        """
}
