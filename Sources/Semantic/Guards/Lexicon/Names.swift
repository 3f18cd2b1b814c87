/// Things with names: a question about one of them is no question about another one.
enum Names {
    static let products = [
        ContrastList(
            guardian: .entity, name: "programming language",
            members: """
                python | javascript, js | typescript | java | c++, cpp | c#, csharp | golang, go language, ^go | ^c, c language | ^rust | ruby | php | ^swift | kotlin | scala | perl | haskell | lua | matlab | julia
                objective-c | visual basic, vba | fortran | cobol | bash, shell script | powershell | dart | elixir | erlang | clojure | assembly | solidity | groovy | prolog | lisp | ^r, r language | pascal
                """),
        ContrastList(
            guardian: .entity, name: "operating system",
            members: """
                windows | macos, mac os, mac, os x, macbook, 苹果电脑 | linux | ubuntu | debian | fedora | centos | red hat, rhel | arch linux | android, 安卓 | ios, iphone, 苹果手机 | chromebook, chrome os | freebsd | alpine | raspberry pi, 树莓派
                """),
        ContrastList(
            guardian: .entity, name: "database",
            members: """
                mysql | postgresql, postgres | sqlite | mongodb | redis | oracle | sql server, mssql | mariadb | cassandra | dynamodb | elasticsearch | neo4j | memcached | couchdb | influxdb | clickhouse | snowflake | bigquery | nosql | ^sql | rabbitmq | kafka | firebase
                """),
        ContrastList(
            guardian: .entity, name: "framework",
            members: """
                react | vue, vuejs, vue.js | angular | svelte | django | flask | fastapi | rails, ruby on rails | laravel | spring boot | ^express, expressjs | next.js, nextjs | nuxt | jquery | ember | flutter | react native | tensorflow | pytorch | keras | scikit-learn, sklearn | pandas | numpy | polars | matplotlib | seaborn | plotly | bootstrap | tailwind | asp.net | symfony | unity | unreal, unreal engine | godot | selenium | playwright | cypress | ^spark | hadoop
                """),
        ContrastList(
            guardian: .entity, name: "tool",
            members: """
                docker | podman | kubernetes, k8s | terraform | ansible | jenkins | nginx | apache | caddy | vs code, visual studio code, vscode | vim, neovim | emacs | intellij, intellij idea | pycharm | eclipse | sublime text | xcode | visual studio | notepad++ | npm | yarn | pnpm | pip | conda | maven | gradle | cmake | bazel | webpack | vite | git | subversion, svn | mercurial
                github, git hub | gitlab | bitbucket | jira | trello | asana | ^notion | ^slack | ^teams, microsoft teams | discord | ^zoom | skype | google meet | postman | grafana | prometheus | datadog | splunk
                """),
        ContrastList(
            guardian: .entity, name: "protocol",
            members: """
                http | https | tcp | udp | ^ip | ftp | sftp | ssh | telnet | smtp | imap | pop3 | dns | dhcp | mqtt | websocket | grpc | graphql | ^rest | ^soap | ipv4 | ipv6 | tls | ssl | oauth | saml | jwt | wifi, wi-fi, 无线网 | bluetooth, 蓝牙 | ethernet | nfc | usb | hdmi | 4g | 5g | lte
                md5 | sha1 | sha256, sha-256 | aes | rsa | des | bcrypt | base64 | utf-8, utf8 | ascii | gzip | zstd | brotli
                """),
        ContrastList(
            guardian: .entity, name: "file type",
            members: """
                pdf | ^word, docx, doc | ^excel, xlsx, spreadsheet | powerpoint, pptx | jpg, jpeg | png | gif | svg | webp | mp3 | mp4 | wav | avi | mov | flac | epub | mobi | tiff | bmp | heic | parquet | avro | protobuf | ini file
                """),
        ContrastList(
            guardian: .entity, name: "application",
            members: """
                photoshop | illustrator | figma | gimp | premiere, premiere pro | after effects | final cut | canva | lightroom | blender | autocad | gmail | outlook | yahoo mail | google docs | google sheets | google drive | dropbox | onedrive | icloud | evernote | onenote
                chrome, google chrome, 谷歌浏览器 | firefox, 火狐 | safari | ^edge, microsoft edge | opera browser | brave browser | whatsapp | telegram | signal messenger | wechat, 微信 | qq | line app | facebook, 脸书 | instagram, ins | twitter | tiktok, 抖音 | snapchat | linkedin | reddit | pinterest | youtube, 油管 | vimeo | twitch | netflix, 奈飞 | hulu | disney plus | spotify | apple music | soundcloud | quora | weibo, 新浪微博 | 知乎 | 小红书 | 哔哩哔哩, b站 | 快手 | 淘宝 | 京东 | 拼多多 | 天猫 | 美团 | 饿了么 | 滴滴 | 支付宝, alipay | 微信支付 | paypal | venmo | stripe | apple pay | google pay | 百度 | 搜狗 | 高德地图 | 百度地图 | google maps | apple maps | 钉钉 | 飞书 | 腾讯视频 | 爱奇艺 | 优酷 | 网易云音乐 | qq音乐 | 酷狗 | 王者荣耀 | 英雄联盟 | 原神 | minecraft, 我的世界 | fortnite | roblox | chatgpt | ^gemini | claude | copilot | deepseek | 文心一言
                """),
        ContrastList(
            guardian: .entity, name: "company",
            members: """
                ^apple, 苹果公司 | google, alphabet, 谷歌 | microsoft, 微软 | amazon, 亚马逊 | ^meta | ibm | intel, 英特尔 | amd | nvidia, 英伟达 | tesla, 特斯拉 | toyota, 丰田 | honda, 本田 | ford, 福特 | bmw, 宝马 | mercedes, mercedes-benz, 奔驰 | audi, 奥迪 | volkswagen, 大众汽车 | nissan, 日产 | hyundai, 现代汽车 | kia, 起亚 | ferrari, 法拉利 | porsche, 保时捷 | samsung, 三星 | sony, 索尼 | lg electronics | huawei, 华为 | xiaomi, 小米 | oppo | vivo | lenovo, 联想 | dell, 戴尔 | hp inc, 惠普 | asus, 华硕 | nokia, 诺基亚 | motorola | nike, 耐克 | adidas, 阿迪达斯 | puma | walmart, 沃尔玛 | costco | target store | ikea, 宜家 | starbucks, 星巴克 | mcdonald, mcdonalds, 麦当劳 | kfc, 肯德基 | burger king, 汉堡王 | subway sandwiches | coca cola, coke, 可口可乐 | pepsi, 百事可乐, 百事 | nestle, 雀巢 | uber, 优步 | lyft | airbnb | netflix inc | oracle corp | salesforce | sap | cisco | tencent, 腾讯 | alibaba, 阿里巴巴, 阿里 | bytedance, 字节跳动 | netease, 网易 | byd, 比亚迪 | 小鹏 | 蔚来 | 理想汽车 | boeing, 波音 | airbus, 空客 | lockheed | spacex | blue origin | nintendo, 任天堂 | openai | anthropic | visa card | mastercard | american express | goldman sachs | jp morgan, jpmorgan | hsbc, 汇丰 | citibank, 花旗 | 工商银行, 工行 | 建设银行, 建行 | 农业银行, 农行 | 中国银行 | 招商银行, 招行 | 中国移动 | 中国联通 | 中国电信 | pfizer, 辉瑞 | moderna | bayer | disney, 迪士尼 | warner bros | playstation | xbox | unilever | siemens, 西门子 | bosch, 博世 | philips, 飞利浦 | canon, 佳能 | nikon, 尼康
                """),
        ContrastList(
            guardian: .entity, name: "theory",
            members: """
                merge sort, mergesort, 归并排序 | quick sort, quicksort, 快速排序 | bubble sort, 冒泡排序 | insertion sort, 插入排序 | selection sort, 选择排序 | heap sort, heapsort, 堆排序 | binary search, 二分查找 | linear search | bfs, breadth first search, 广度优先 | dfs, depth first search, 深度优先 | dijkstra | linked list, 链表 | stack, 栈 | queue, 队列 | hash table, hash map, hashmap, 哈希表 | binary tree, 二叉树 | while loop | for loop | recursion, 递归 | iteration, 迭代
                linear regression, 线性回归 | logistic regression, 逻辑回归 | random forest, 随机森林 | decision tree, 决策树 | svm, support vector machine, 支持向量机 | k-means, kmeans | naive bayes | neural network, 神经网络 | cnn, convolutional neural network | rnn | lstm | transformer model | gan | precision, 精确率 | recall, 召回率 | accuracy, 准确率 | inner join | outer join | left join | right join | newtons first law, 牛顿第一定律 | newtons second law, 牛顿第二定律 | newtons third law, 牛顿第三定律 | general relativity, 广义相对论 | special relativity, 狭义相对论 | quantum mechanics, 量子力学 | thermodynamics, 热力学 | supervised learning, 监督学习 | unsupervised learning, 无监督学习 | reinforcement learning, 强化学习 | mitosis, 有丝分裂 | meiosis, 减数分裂 | dna | rna | keynesian | capitalism, 资本主义 | socialism, 社会主义 | communism, 共产主义 | feudalism, 封建主义 | democracy, 民主 | dictatorship, 独裁 | stoicism | epicureanism | utilitarianism | bayesian | frequentist
                """),
    ]
}
